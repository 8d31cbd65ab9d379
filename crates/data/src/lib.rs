//! From a folder of pictures to batches: sources, index, split, decode, transforms, loader, audit
