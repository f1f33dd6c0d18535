// Without this, ONNX Runtime's npm package reports each session to its maker, and leaves a device id in the user's cache
// and a log a process in the temporary folder (its pull request 27379). To be imported before the package.
process.env.ORT_DISABLE_TELEMETRY = "1";
