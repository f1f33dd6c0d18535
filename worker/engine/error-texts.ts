// Texts of errors that decide what is done, since the libraries give these errors no code. Another version may word them
// differently: package.json pins the versions exactly, and test/worker/engine/error-texts.test.ts provokes each text.

/** ONNX Runtime refuses to hand out a result that is not a tensor; everything else of the run is done by then. */
export const ONNX_NOT_A_TENSOR = /^Non tensor type/;

/** A device's memory is full: TensorFlow, WebGPU, CUDA, ONNX Runtime. */
export const DEVICE_IS_FULL =
	/OOM when allocating|resource[ _]?exhausted|out of memory|failed to allocate memory for requested buffer/i;

/** V8: WebAssembly wrote to memory that it did not get. */
export const WASM_OUT_OF_BOUNDS = /memory access out of bounds/;
