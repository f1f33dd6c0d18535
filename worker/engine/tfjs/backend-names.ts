/**
 * Backends of TensorFlow.js in order of preference. In a file of their own, so that a list of them needs no
 * TensorFlow.js.
 */
export const TFJS_BACKENDS = ["tensorflow", "webgpu", "wasm", "cpu"] as const;

export type TfjsBackendName = (typeof TFJS_BACKENDS)[number];
