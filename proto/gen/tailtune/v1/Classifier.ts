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
   * Classifies one text.
   */
  Classify(argument: _tailtune_v1_ClassifyRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_ClassifyResponse>): grpc.ClientUnaryCall;
  Classify(argument: _tailtune_v1_ClassifyRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_tailtune_v1_ClassifyResponse>): grpc.ClientUnaryCall;
  Classify(argument: _tailtune_v1_ClassifyRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_ClassifyResponse>): grpc.ClientUnaryCall;
  Classify(argument: _tailtune_v1_ClassifyRequestInput, callback: grpc.requestCallback<_tailtune_v1_ClassifyResponse>): grpc.ClientUnaryCall;
  /**
   * Classifies one text.
   */
  classify(argument: _tailtune_v1_ClassifyRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_ClassifyResponse>): grpc.ClientUnaryCall;
  classify(argument: _tailtune_v1_ClassifyRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_tailtune_v1_ClassifyResponse>): grpc.ClientUnaryCall;
  classify(argument: _tailtune_v1_ClassifyRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_ClassifyResponse>): grpc.ClientUnaryCall;
  classify(argument: _tailtune_v1_ClassifyRequestInput, callback: grpc.requestCallback<_tailtune_v1_ClassifyResponse>): grpc.ClientUnaryCall;
  
  /**
   * Classifies several texts and answers in the same order. If one text fails, the call fails.
   */
  ClassifyBatch(argument: _tailtune_v1_ClassifyBatchRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_ClassifyBatchResponse>): grpc.ClientUnaryCall;
  ClassifyBatch(argument: _tailtune_v1_ClassifyBatchRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_tailtune_v1_ClassifyBatchResponse>): grpc.ClientUnaryCall;
  ClassifyBatch(argument: _tailtune_v1_ClassifyBatchRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_ClassifyBatchResponse>): grpc.ClientUnaryCall;
  ClassifyBatch(argument: _tailtune_v1_ClassifyBatchRequestInput, callback: grpc.requestCallback<_tailtune_v1_ClassifyBatchResponse>): grpc.ClientUnaryCall;
  /**
   * Classifies several texts and answers in the same order. If one text fails, the call fails.
   */
  classifyBatch(argument: _tailtune_v1_ClassifyBatchRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_ClassifyBatchResponse>): grpc.ClientUnaryCall;
  classifyBatch(argument: _tailtune_v1_ClassifyBatchRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_tailtune_v1_ClassifyBatchResponse>): grpc.ClientUnaryCall;
  classifyBatch(argument: _tailtune_v1_ClassifyBatchRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_ClassifyBatchResponse>): grpc.ClientUnaryCall;
  classifyBatch(argument: _tailtune_v1_ClassifyBatchRequestInput, callback: grpc.requestCallback<_tailtune_v1_ClassifyBatchResponse>): grpc.ClientUnaryCall;
  
  /**
   * Classifies a stream of texts and answers in the same order, with flow control. It ends at the first text that fails.
   */
  ClassifyStream(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_tailtune_v1_ClassifyStreamRequestInput, _tailtune_v1_ClassifyStreamResponse>;
  ClassifyStream(options?: grpc.CallOptions): grpc.ClientDuplexStream<_tailtune_v1_ClassifyStreamRequestInput, _tailtune_v1_ClassifyStreamResponse>;
  /**
   * Classifies a stream of texts and answers in the same order, with flow control. It ends at the first text that fails.
   */
  classifyStream(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_tailtune_v1_ClassifyStreamRequestInput, _tailtune_v1_ClassifyStreamResponse>;
  classifyStream(options?: grpc.CallOptions): grpc.ClientDuplexStream<_tailtune_v1_ClassifyStreamRequestInput, _tailtune_v1_ClassifyStreamResponse>;
  
  /**
   * Describes the served model.
   */
  GetModel(argument: _tailtune_v1_GetModelRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_GetModelResponse>): grpc.ClientUnaryCall;
  GetModel(argument: _tailtune_v1_GetModelRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_tailtune_v1_GetModelResponse>): grpc.ClientUnaryCall;
  GetModel(argument: _tailtune_v1_GetModelRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_GetModelResponse>): grpc.ClientUnaryCall;
  GetModel(argument: _tailtune_v1_GetModelRequestInput, callback: grpc.requestCallback<_tailtune_v1_GetModelResponse>): grpc.ClientUnaryCall;
  /**
   * Describes the served model.
   */
  getModel(argument: _tailtune_v1_GetModelRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_GetModelResponse>): grpc.ClientUnaryCall;
  getModel(argument: _tailtune_v1_GetModelRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_tailtune_v1_GetModelResponse>): grpc.ClientUnaryCall;
  getModel(argument: _tailtune_v1_GetModelRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_GetModelResponse>): grpc.ClientUnaryCall;
  getModel(argument: _tailtune_v1_GetModelRequestInput, callback: grpc.requestCallback<_tailtune_v1_GetModelResponse>): grpc.ClientUnaryCall;
  
}

export interface ClassifierHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Classifies one text.
   */
  Classify: grpc.handleUnaryCall<_tailtune_v1_ClassifyRequest, _tailtune_v1_ClassifyResponseInput>;
  
  /**
   * Classifies several texts and answers in the same order. If one text fails, the call fails.
   */
  ClassifyBatch: grpc.handleUnaryCall<_tailtune_v1_ClassifyBatchRequest, _tailtune_v1_ClassifyBatchResponseInput>;
  
  /**
   * Classifies a stream of texts and answers in the same order, with flow control. It ends at the first text that fails.
   */
  ClassifyStream: grpc.handleBidiStreamingCall<_tailtune_v1_ClassifyStreamRequest, _tailtune_v1_ClassifyStreamResponseInput>;
  
  /**
   * Describes the served model.
   */
  GetModel: grpc.handleUnaryCall<_tailtune_v1_GetModelRequest, _tailtune_v1_GetModelResponseInput>;
  
}

export interface ClassifierDefinition extends grpc.ServiceDefinition {
  Classify: MethodDefinition<_tailtune_v1_ClassifyRequestInput, _tailtune_v1_ClassifyResponseInput, _tailtune_v1_ClassifyRequest, _tailtune_v1_ClassifyResponse>
  ClassifyBatch: MethodDefinition<_tailtune_v1_ClassifyBatchRequestInput, _tailtune_v1_ClassifyBatchResponseInput, _tailtune_v1_ClassifyBatchRequest, _tailtune_v1_ClassifyBatchResponse>
  ClassifyStream: MethodDefinition<_tailtune_v1_ClassifyStreamRequestInput, _tailtune_v1_ClassifyStreamResponseInput, _tailtune_v1_ClassifyStreamRequest, _tailtune_v1_ClassifyStreamResponse>
  GetModel: MethodDefinition<_tailtune_v1_GetModelRequestInput, _tailtune_v1_GetModelResponseInput, _tailtune_v1_GetModelRequest, _tailtune_v1_GetModelResponse>
}
