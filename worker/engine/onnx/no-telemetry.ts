// Import this before onnxruntime-node. Otherwise that package reports each session to its maker, and leaves a device id
// in the user's cache and one log per process in the temporary folder (its pull request 27379).
process.env.ORT_DISABLE_TELEMETRY = "1";
