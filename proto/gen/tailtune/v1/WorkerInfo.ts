// Original file: proto/tailtune/v1/work.proto


/**
 * What a worker says of itself when it joins.
 */
export interface WorkerInfoInput {
  'workerId'?: (string);
  /**
   * Engine of the trunk and of the tail, as in "onnx cpu" and "tfjs wasm".
   */
  'trunkEngine'?: (string);
  'tailEngine'?: (string);
  'device'?: (string);
  'threads'?: (number);
  /**
   * Of the library that computes the trunk.
   */
  'version'?: (string);
}

/**
 * What a worker says of itself when it joins.
 */
export interface WorkerInfo {
  'workerId': (string);
  /**
   * Engine of the trunk and of the tail, as in "onnx cpu" and "tfjs wasm".
   */
  'trunkEngine': (string);
  'tailEngine': (string);
  'device': (string);
  'threads': (number);
  /**
   * Of the library that computes the trunk.
   */
  'version': (string);
}
