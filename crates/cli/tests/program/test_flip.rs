//! Answers by the mean over a picture and its mirror image.

use std::fs;

use image::{ImageFormat, imageops};
use serde_json::Value;

use crate::sandbox::{Sandbox, picture, quick_train};

#[test]
fn a_picture_and_its_mirror_image_are_answered_alike() {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("blue", 20), ("green", 20)]);
    sandbox
        .succeed(&quick_train("photos", &["--set", "model.test_flip=true", "--set", "split.ratios=[0.5,0.25,0.25]"]));
    let run = sandbox.the_run();
    let stored = |part: &str| fs::read_to_string(sandbox.path(&format!("{run}/predictions/{part}.csv"))).unwrap();
    let evaluated = stored("test");

    // The model says of itself that it answers so.
    let probability = |said: &Value| said["top"][0]["probability"].as_f64().unwrap();
    for number in 0..3 {
        let upright = picture(1, number);
        let mirrored = imageops::flip_horizontal(&image::load_from_memory(&upright).unwrap().to_rgb8());
        sandbox.write("upright.png", &upright);
        mirrored.save_with_format(sandbox.path("mirrored.png"), ImageFormat::Png).unwrap();
        let said = sandbox.succeed(&["predict", &run, "upright.png", "mirrored.png", "--json"]);
        let answers: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [one, other] = [0, 1].map(|at| probability(&answers[at]));
        assert!((one - other).abs() < 1e-6, "{one} and {other}");
    }

    // What `eval` finds with the stored model is what the run found.
    sandbox.succeed(&["eval", &run]);
    assert_eq!(stored("test"), evaluated);
}
