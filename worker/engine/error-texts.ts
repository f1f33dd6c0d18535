// Error texts on which control flow depends, since the libraries give these errors no code. Another version may use
// other words: so package.json pins the versions exactly, and test/worker/engine/error-texts.test.ts provokes each
// text.

/** ONNX Runtime can't return a result that is not a tensor. It throws this after the rest of the run is done. */
export const ONNX_NOT_A_TENSOR = /^Non tensor type/;

/** A device has no memory left: TensorFlow, WebGPU, CUDA, ONNX Runtime. */
export const DEVICE_IS_FULL =
	/OOM when allocating|resource[ _]?exhausted|out of memory|failed to allocate memory for requested buffer/i;

/** V8: WebAssembly accessed an address outside of its memory. */
export const WASM_OUT_OF_BOUNDS = /memory access out of bounds/;
