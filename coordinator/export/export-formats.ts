/** Formats of an exported model. */
export const EXPORT_FORMATS = ["hf", "onnx", "safetensors"] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Types of the numbers of an exported graph's large matrices, instead of float32. */
export const QUANTIZATIONS = ["int8"] as const;

export type Quantization = (typeof QUANTIZATIONS)[number];

/** Names of graphs, by the type of their numbers, that Optimum and transformers.js look for. */
export const GRAPH_FILES = { fp32: "model.onnx", q8: "model_quantized.onnx" } as const;
