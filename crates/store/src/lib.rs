//! Run folders: what is in them, how it is written and read
