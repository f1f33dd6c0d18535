/** Backends of TensorFlow.js in order of preference. Named apart from it, so that who only lists them needs no TensorFlow.js. */
export const TFJS_BACKENDS = ["tensorflow", "webgpu", "wasm", "cpu"] as const;

export type TfjsBackendName = (typeof TFJS_BACKENDS)[number];
