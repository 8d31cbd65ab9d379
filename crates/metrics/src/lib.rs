//! Numbers about predictions: metrics, intervals, calibration
