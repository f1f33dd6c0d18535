// Original file: proto/tailtune/v1/classifier.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ClassifyBatchRequestInput as _tailtune_v1_ClassifyBatchRequestInput, ClassifyBatchRequest as _tailtune_v1_ClassifyBatchRequest } from '../../tailtune/v1/ClassifyBatchRequest.ts';
import type { ClassifyBatchResponseInput as _tailtune_v1_ClassifyBatchResponseInput, ClassifyBatchResponse as _tailtune_v1_ClassifyBatchResponse } from '../../tailtune/v1/ClassifyBatchResponse.ts';
import type { ClassifyRequestInput as _tailtune_v1_ClassifyRequestInput, ClassifyRequest as _tailtune_v1_ClassifyRequest } from '../../tailtune/v1/ClassifyRequest.ts';
import type { ClassifyResponseInput as _tailtune_v1_ClassifyResponseInput, ClassifyResponse as _tailtune_v1_ClassifyResponse } from '../../tailtune/v1/ClassifyResponse.ts';
import type { ClassifyStreamRequestInput as _tailtune_v1_ClassifyStreamRequestInput, ClassifyStreamRequest as _tailtune_v1_ClassifyStreamRequest } from '../../tailtune/v1/ClassifyStreamRequest.ts';
import type { ClassifyStreamResponseInput as _tailtune_v1_ClassifyStreamResponseInput, ClassifyStreamResponse as _tailtune_v1_ClassifyStreamResponse } from '../../tailtune/v1/ClassifyStreamResponse.ts';
import type { GetModelRequestInput as _tailtune_v1_GetModelRequestInput, GetModelRequest as _tailtune_v1_GetModelRequest } from '../../tailtune/v1/GetModelRequest.ts';
import type { GetModelResponseInput as _tailtune_v1_GetModelResponseInput, GetModelResponse as _tailtune_v1_GetModelResponse } from '../../tailtune/v1/GetModelResponse.ts';

export interface ClassifierClient extends grpc.Client {
  /**
   * The label of one text.
   */
  Classify(argument: _tailtune_v1_ClassifyRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_ClassifyResponse>): grpc.ClientUnaryCall;
  Classify(argument: _tailtune_v1_ClassifyRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_tailtune_v1_ClassifyResponse>): grpc.ClientUnaryCall;
  Classify(argument: _tailtune_v1_ClassifyRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_ClassifyResponse>): grpc.ClientUnaryCall;
  Classify(argument: _tailtune_v1_ClassifyRequestInput, callback: grpc.requestCallback<_tailtune_v1_ClassifyResponse>): grpc.ClientUnaryCall;
  /**
   * The label of one text.
   */
  classify(argument: _tailtune_v1_ClassifyRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_ClassifyResponse>): grpc.ClientUnaryCall;
  classify(argument: _tailtune_v1_ClassifyRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_tailtune_v1_ClassifyResponse>): grpc.ClientUnaryCall;
  classify(argument: _tailtune_v1_ClassifyRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_ClassifyResponse>): grpc.ClientUnaryCall;
  classify(argument: _tailtune_v1_ClassifyRequestInput, callback: grpc.requestCallback<_tailtune_v1_ClassifyResponse>): grpc.ClientUnaryCall;
  
  /**
   * The labels of several texts, in the order given. It is all or nothing.
   */
  ClassifyBatch(argument: _tailtune_v1_ClassifyBatchRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_ClassifyBatchResponse>): grpc.ClientUnaryCall;
  ClassifyBatch(argument: _tailtune_v1_ClassifyBatchRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_tailtune_v1_ClassifyBatchResponse>): grpc.ClientUnaryCall;
  ClassifyBatch(argument: _tailtune_v1_ClassifyBatchRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_ClassifyBatchResponse>): grpc.ClientUnaryCall;
  ClassifyBatch(argument: _tailtune_v1_ClassifyBatchRequestInput, callback: grpc.requestCallback<_tailtune_v1_ClassifyBatchResponse>): grpc.ClientUnaryCall;
  /**
   * The labels of several texts, in the order given. It is all or nothing.
   */
  classifyBatch(argument: _tailtune_v1_ClassifyBatchRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_ClassifyBatchResponse>): grpc.ClientUnaryCall;
  classifyBatch(argument: _tailtune_v1_ClassifyBatchRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_tailtune_v1_ClassifyBatchResponse>): grpc.ClientUnaryCall;
  classifyBatch(argument: _tailtune_v1_ClassifyBatchRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_ClassifyBatchResponse>): grpc.ClientUnaryCall;
  classifyBatch(argument: _tailtune_v1_ClassifyBatchRequestInput, callback: grpc.requestCallback<_tailtune_v1_ClassifyBatchResponse>): grpc.ClientUnaryCall;
  
  /**
   * Answers in the order asked, at the pace of both sides. It ends with the first text that can't be answered.
   */
  ClassifyStream(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_tailtune_v1_ClassifyStreamRequestInput, _tailtune_v1_ClassifyStreamResponse>;
  ClassifyStream(options?: grpc.CallOptions): grpc.ClientDuplexStream<_tailtune_v1_ClassifyStreamRequestInput, _tailtune_v1_ClassifyStreamResponse>;
  /**
   * Answers in the order asked, at the pace of both sides. It ends with the first text that can't be answered.
   */
  classifyStream(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_tailtune_v1_ClassifyStreamRequestInput, _tailtune_v1_ClassifyStreamResponse>;
  classifyStream(options?: grpc.CallOptions): grpc.ClientDuplexStream<_tailtune_v1_ClassifyStreamRequestInput, _tailtune_v1_ClassifyStreamResponse>;
  
  /**
   * What is served.
   */
  GetModel(argument: _tailtune_v1_GetModelRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_GetModelResponse>): grpc.ClientUnaryCall;
  GetModel(argument: _tailtune_v1_GetModelRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_tailtune_v1_GetModelResponse>): grpc.ClientUnaryCall;
  GetModel(argument: _tailtune_v1_GetModelRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_GetModelResponse>): grpc.ClientUnaryCall;
  GetModel(argument: _tailtune_v1_GetModelRequestInput, callback: grpc.requestCallback<_tailtune_v1_GetModelResponse>): grpc.ClientUnaryCall;
  /**
   * What is served.
   */
  getModel(argument: _tailtune_v1_GetModelRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_GetModelResponse>): grpc.ClientUnaryCall;
  getModel(argument: _tailtune_v1_GetModelRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_tailtune_v1_GetModelResponse>): grpc.ClientUnaryCall;
  getModel(argument: _tailtune_v1_GetModelRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_GetModelResponse>): grpc.ClientUnaryCall;
  getModel(argument: _tailtune_v1_GetModelRequestInput, callback: grpc.requestCallback<_tailtune_v1_GetModelResponse>): grpc.ClientUnaryCall;
  
}

export interface ClassifierHandlers extends grpc.UntypedServiceImplementation {
  /**
   * The label of one text.
   */
  Classify: grpc.handleUnaryCall<_tailtune_v1_ClassifyRequest, _tailtune_v1_ClassifyResponseInput>;
  
  /**
   * The labels of several texts, in the order given. It is all or nothing.
   */
  ClassifyBatch: grpc.handleUnaryCall<_tailtune_v1_ClassifyBatchRequest, _tailtune_v1_ClassifyBatchResponseInput>;
  
  /**
   * Answers in the order asked, at the pace of both sides. It ends with the first text that can't be answered.
   */
  ClassifyStream: grpc.handleBidiStreamingCall<_tailtune_v1_ClassifyStreamRequest, _tailtune_v1_ClassifyStreamResponseInput>;
  
  /**
   * What is served.
   */
  GetModel: grpc.handleUnaryCall<_tailtune_v1_GetModelRequest, _tailtune_v1_GetModelResponseInput>;
  
}

export interface ClassifierDefinition extends grpc.ServiceDefinition {
  Classify: MethodDefinition<_tailtune_v1_ClassifyRequestInput, _tailtune_v1_ClassifyResponseInput, _tailtune_v1_ClassifyRequest, _tailtune_v1_ClassifyResponse>
  ClassifyBatch: MethodDefinition<_tailtune_v1_ClassifyBatchRequestInput, _tailtune_v1_ClassifyBatchResponseInput, _tailtune_v1_ClassifyBatchRequest, _tailtune_v1_ClassifyBatchResponse>
  ClassifyStream: MethodDefinition<_tailtune_v1_ClassifyStreamRequestInput, _tailtune_v1_ClassifyStreamResponseInput, _tailtune_v1_ClassifyStreamRequest, _tailtune_v1_ClassifyStreamResponse>
  GetModel: MethodDefinition<_tailtune_v1_GetModelRequestInput, _tailtune_v1_GetModelResponseInput, _tailtune_v1_GetModelRequest, _tailtune_v1_GetModelResponse>
}
