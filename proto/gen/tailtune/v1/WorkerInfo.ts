// Original file: proto/tailtune/v1/work.proto


/**
 * Description of a worker, sent when it joins.
 */
export interface WorkerInfoInput {
  'workerId'?: (string);
  /**
   * Engines of the trunk and of the tail, for example "onnx cpu" and "tfjs wasm".
   */
  'trunkEngine'?: (string);
  'tailEngine'?: (string);
  'device'?: (string);
  'threads'?: (number);
  /**
   * Version of the library that computes the trunk.
   */
  'version'?: (string);
}

/**
 * Description of a worker, sent when it joins.
 */
export interface WorkerInfo {
  'workerId': (string);
  /**
   * Engines of the trunk and of the tail, for example "onnx cpu" and "tfjs wasm".
   */
  'trunkEngine': (string);
  'tailEngine': (string);
  'device': (string);
  'threads': (number);
  /**
   * Version of the library that computes the trunk.
   */
  'version': (string);
}
