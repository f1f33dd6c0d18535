/** Formats of an exported model. */
export const EXPORT_FORMATS = ["hf", "onnx", "safetensors"] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];
