// Original file: proto/tailtune/v1/exchange.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AttachRequestInput as _tailtune_v1_AttachRequestInput, AttachRequest as _tailtune_v1_AttachRequest } from '../../tailtune/v1/AttachRequest.ts';
import type { AttachResponseInput as _tailtune_v1_AttachResponseInput, AttachResponse as _tailtune_v1_AttachResponse } from '../../tailtune/v1/AttachResponse.ts';
import type { GetModelFileRequestInput as _tailtune_v1_GetModelFileRequestInput, GetModelFileRequest as _tailtune_v1_GetModelFileRequest } from '../../tailtune/v1/GetModelFileRequest.ts';
import type { GetModelFileResponseInput as _tailtune_v1_GetModelFileResponseInput, GetModelFileResponse as _tailtune_v1_GetModelFileResponse } from '../../tailtune/v1/GetModelFileResponse.ts';
import type { GetModelManifestRequestInput as _tailtune_v1_GetModelManifestRequestInput, GetModelManifestRequest as _tailtune_v1_GetModelManifestRequest } from '../../tailtune/v1/GetModelManifestRequest.ts';
import type { GetModelManifestResponseInput as _tailtune_v1_GetModelManifestResponseInput, GetModelManifestResponse as _tailtune_v1_GetModelManifestResponse } from '../../tailtune/v1/GetModelManifestResponse.ts';
import type { GetParametersRequestInput as _tailtune_v1_GetParametersRequestInput, GetParametersRequest as _tailtune_v1_GetParametersRequest } from '../../tailtune/v1/GetParametersRequest.ts';
import type { GetParametersResponseInput as _tailtune_v1_GetParametersResponseInput, GetParametersResponse as _tailtune_v1_GetParametersResponse } from '../../tailtune/v1/GetParametersResponse.ts';
import type { PutAnswerRequestInput as _tailtune_v1_PutAnswerRequestInput, PutAnswerRequest as _tailtune_v1_PutAnswerRequest } from '../../tailtune/v1/PutAnswerRequest.ts';
import type { PutAnswerResponseInput as _tailtune_v1_PutAnswerResponseInput, PutAnswerResponse as _tailtune_v1_PutAnswerResponse } from '../../tailtune/v1/PutAnswerResponse.ts';

export interface ExchangeClient extends grpc.Client {
  /**
   * A worker keeps this call open. If the call ends, the coordinator knows that the worker has gone.
   */
  Attach(argument: _tailtune_v1_AttachRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_AttachResponse>;
  Attach(argument: _tailtune_v1_AttachRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_AttachResponse>;
  /**
   * A worker keeps this call open. If the call ends, the coordinator knows that the worker has gone.
   */
  attach(argument: _tailtune_v1_AttachRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_AttachResponse>;
  attach(argument: _tailtune_v1_AttachRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_AttachResponse>;
  
  /**
   * Reads one of these files from an offset.
   */
  GetModelFile(argument: _tailtune_v1_GetModelFileRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_GetModelFileResponse>;
  GetModelFile(argument: _tailtune_v1_GetModelFileRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_GetModelFileResponse>;
  /**
   * Reads one of these files from an offset.
   */
  getModelFile(argument: _tailtune_v1_GetModelFileRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_GetModelFileResponse>;
  getModelFile(argument: _tailtune_v1_GetModelFileRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_GetModelFileResponse>;
  
  /**
   * Lists the files of a model, for a worker that doesn't have it.
   */
  GetModelManifest(argument: _tailtune_v1_GetModelManifestRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_GetModelManifestResponse>): grpc.ClientUnaryCall;
  GetModelManifest(argument: _tailtune_v1_GetModelManifestRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_tailtune_v1_GetModelManifestResponse>): grpc.ClientUnaryCall;
  GetModelManifest(argument: _tailtune_v1_GetModelManifestRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_GetModelManifestResponse>): grpc.ClientUnaryCall;
  GetModelManifest(argument: _tailtune_v1_GetModelManifestRequestInput, callback: grpc.requestCallback<_tailtune_v1_GetModelManifestResponse>): grpc.ClientUnaryCall;
  /**
   * Lists the files of a model, for a worker that doesn't have it.
   */
  getModelManifest(argument: _tailtune_v1_GetModelManifestRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_GetModelManifestResponse>): grpc.ClientUnaryCall;
  getModelManifest(argument: _tailtune_v1_GetModelManifestRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_tailtune_v1_GetModelManifestResponse>): grpc.ClientUnaryCall;
  getModelManifest(argument: _tailtune_v1_GetModelManifestRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_GetModelManifestResponse>): grpc.ClientUnaryCall;
  getModelManifest(argument: _tailtune_v1_GetModelManifestRequestInput, callback: grpc.requestCallback<_tailtune_v1_GetModelManifestResponse>): grpc.ClientUnaryCall;
  
  /**
   * Reads a version of the parameter vector.
   */
  GetParameters(argument: _tailtune_v1_GetParametersRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_GetParametersResponse>;
  GetParameters(argument: _tailtune_v1_GetParametersRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_GetParametersResponse>;
  /**
   * Reads a version of the parameter vector.
   */
  getParameters(argument: _tailtune_v1_GetParametersRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_GetParametersResponse>;
  getParameters(argument: _tailtune_v1_GetParametersRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_GetParametersResponse>;
  
  /**
   * Sends the answer to an item: a header, the logits in chunks, the tensor in chunks, the end. The coordinator accepts it
   * as a whole or refuses it. After REFUSAL_NOT_EXPECTED or REFUSAL_UNKNOWN_RUN the answer isn't needed any more.
   */
  PutAnswer(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_PutAnswerResponse>): grpc.ClientWritableStream<_tailtune_v1_PutAnswerRequestInput>;
  PutAnswer(metadata: grpc.Metadata, callback: grpc.requestCallback<_tailtune_v1_PutAnswerResponse>): grpc.ClientWritableStream<_tailtune_v1_PutAnswerRequestInput>;
  PutAnswer(options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_PutAnswerResponse>): grpc.ClientWritableStream<_tailtune_v1_PutAnswerRequestInput>;
  PutAnswer(callback: grpc.requestCallback<_tailtune_v1_PutAnswerResponse>): grpc.ClientWritableStream<_tailtune_v1_PutAnswerRequestInput>;
  /**
   * Sends the answer to an item: a header, the logits in chunks, the tensor in chunks, the end. The coordinator accepts it
   * as a whole or refuses it. After REFUSAL_NOT_EXPECTED or REFUSAL_UNKNOWN_RUN the answer isn't needed any more.
   */
  putAnswer(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_PutAnswerResponse>): grpc.ClientWritableStream<_tailtune_v1_PutAnswerRequestInput>;
  putAnswer(metadata: grpc.Metadata, callback: grpc.requestCallback<_tailtune_v1_PutAnswerResponse>): grpc.ClientWritableStream<_tailtune_v1_PutAnswerRequestInput>;
  putAnswer(options: grpc.CallOptions, callback: grpc.requestCallback<_tailtune_v1_PutAnswerResponse>): grpc.ClientWritableStream<_tailtune_v1_PutAnswerRequestInput>;
  putAnswer(callback: grpc.requestCallback<_tailtune_v1_PutAnswerResponse>): grpc.ClientWritableStream<_tailtune_v1_PutAnswerRequestInput>;
  
}

export interface ExchangeHandlers extends grpc.UntypedServiceImplementation {
  /**
   * A worker keeps this call open. If the call ends, the coordinator knows that the worker has gone.
   */
  Attach: grpc.handleServerStreamingCall<_tailtune_v1_AttachRequest, _tailtune_v1_AttachResponseInput>;
  
  /**
   * Reads one of these files from an offset.
   */
  GetModelFile: grpc.handleServerStreamingCall<_tailtune_v1_GetModelFileRequest, _tailtune_v1_GetModelFileResponseInput>;
  
  /**
   * Lists the files of a model, for a worker that doesn't have it.
   */
  GetModelManifest: grpc.handleUnaryCall<_tailtune_v1_GetModelManifestRequest, _tailtune_v1_GetModelManifestResponseInput>;
  
  /**
   * Reads a version of the parameter vector.
   */
  GetParameters: grpc.handleServerStreamingCall<_tailtune_v1_GetParametersRequest, _tailtune_v1_GetParametersResponseInput>;
  
  /**
   * Sends the answer to an item: a header, the logits in chunks, the tensor in chunks, the end. The coordinator accepts it
   * as a whole or refuses it. After REFUSAL_NOT_EXPECTED or REFUSAL_UNKNOWN_RUN the answer isn't needed any more.
   */
  PutAnswer: grpc.handleClientStreamingCall<_tailtune_v1_PutAnswerRequest, _tailtune_v1_PutAnswerResponseInput>;
  
}

export interface ExchangeDefinition extends grpc.ServiceDefinition {
  Attach: MethodDefinition<_tailtune_v1_AttachRequestInput, _tailtune_v1_AttachResponseInput, _tailtune_v1_AttachRequest, _tailtune_v1_AttachResponse>
  GetModelFile: MethodDefinition<_tailtune_v1_GetModelFileRequestInput, _tailtune_v1_GetModelFileResponseInput, _tailtune_v1_GetModelFileRequest, _tailtune_v1_GetModelFileResponse>
  GetModelManifest: MethodDefinition<_tailtune_v1_GetModelManifestRequestInput, _tailtune_v1_GetModelManifestResponseInput, _tailtune_v1_GetModelManifestRequest, _tailtune_v1_GetModelManifestResponse>
  GetParameters: MethodDefinition<_tailtune_v1_GetParametersRequestInput, _tailtune_v1_GetParametersResponseInput, _tailtune_v1_GetParametersRequest, _tailtune_v1_GetParametersResponse>
  PutAnswer: MethodDefinition<_tailtune_v1_PutAnswerRequestInput, _tailtune_v1_PutAnswerResponseInput, _tailtune_v1_PutAnswerRequest, _tailtune_v1_PutAnswerResponse>
}
