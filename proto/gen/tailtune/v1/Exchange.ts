// Original file: proto/tailtune/v1/exchange.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AttachRequestInput as _tailtune_v1_AttachRequestInput, AttachRequest as _tailtune_v1_AttachRequest } from '../../tailtune/v1/AttachRequest.ts';
import type { AttachResponseInput as _tailtune_v1_AttachResponseInput, AttachResponse as _tailtune_v1_AttachResponse } from '../../tailtune/v1/AttachResponse.ts';
import type { GetModelFileRequestInput as _tailtune_v1_GetModelFileRequestInput, GetModelFileRequest as _tailtune_v1_GetModelFileRequest } from '../../tailtune/v1/GetModelFileRequest.ts';
import type { GetModelFileResponseInput as _tailtune_v1_GetModelFileResponseInput, GetModelFileResponse as _tailtune_v1_GetModelFileResponse } from '../../tailtune/v1/GetModelFileResponse.ts';
import type { GetModelManifestRequestInput as _tailtune_v1_GetModelManifestRequestInput, GetModelManifestRequest as _tailtune_v1_GetModelManifestRequest } from '../../tailtune/v1/GetModelManifestRequest.ts';
import type { GetModelManifestResponseInput as _tailtune_v1_GetModelManifestResponseInput, GetModelManifestResponse as _tailtune_v1_GetModelManifestResponse } from '../../tailtune/v1/GetModelManifestResponse.ts';
import type { GetStateRequestInput as _tailtune_v1_GetStateRequestInput, GetStateRequest as _tailtune_v1_GetStateRequest } from '../../tailtune/v1/GetStateRequest.ts';
import type { GetStateResponseInput as _tailtune_v1_GetStateResponseInput, GetStateResponse as _tailtune_v1_GetStateResponse } from '../../tailtune/v1/GetStateResponse.ts';
import type { GetUpdatesRequestInput as _tailtune_v1_GetUpdatesRequestInput, GetUpdatesRequest as _tailtune_v1_GetUpdatesRequest } from '../../tailtune/v1/GetUpdatesRequest.ts';
import type { GetUpdatesResponseInput as _tailtune_v1_GetUpdatesResponseInput, GetUpdatesResponse as _tailtune_v1_GetUpdatesResponse } from '../../tailtune/v1/GetUpdatesResponse.ts';
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
   * Reads the state of a run: a header, the tensor in chunks, the end. The tensor is the parameter vector, followed by both AdamW
   * moments while the run trains, unless they are zeros.
   */
  GetState(argument: _tailtune_v1_GetStateRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_GetStateResponse>;
  GetState(argument: _tailtune_v1_GetStateRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_GetStateResponse>;
  /**
   * Reads the state of a run: a header, the tensor in chunks, the end. The tensor is the parameter vector, followed by both AdamW
   * moments while the run trains, unless they are zeros.
   */
  getState(argument: _tailtune_v1_GetStateRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_GetStateResponse>;
  getState(argument: _tailtune_v1_GetStateRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_GetStateResponse>;
  
  /**
   * Reads all updates after a version, up to the newest one. A worker that applies them to its state has the coordinator's state,
   * bit for bit. Updates are also published to all workers at once, over the bus; this call is for those that did not arrive.
   */
  GetUpdates(argument: _tailtune_v1_GetUpdatesRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_GetUpdatesResponse>;
  GetUpdates(argument: _tailtune_v1_GetUpdatesRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_GetUpdatesResponse>;
  /**
   * Reads all updates after a version, up to the newest one. A worker that applies them to its state has the coordinator's state,
   * bit for bit. Updates are also published to all workers at once, over the bus; this call is for those that did not arrive.
   */
  getUpdates(argument: _tailtune_v1_GetUpdatesRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_GetUpdatesResponse>;
  getUpdates(argument: _tailtune_v1_GetUpdatesRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_tailtune_v1_GetUpdatesResponse>;
  
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
   * Reads the state of a run: a header, the tensor in chunks, the end. The tensor is the parameter vector, followed by both AdamW
   * moments while the run trains, unless they are zeros.
   */
  GetState: grpc.handleServerStreamingCall<_tailtune_v1_GetStateRequest, _tailtune_v1_GetStateResponseInput>;
  
  /**
   * Reads all updates after a version, up to the newest one. A worker that applies them to its state has the coordinator's state,
   * bit for bit. Updates are also published to all workers at once, over the bus; this call is for those that did not arrive.
   */
  GetUpdates: grpc.handleServerStreamingCall<_tailtune_v1_GetUpdatesRequest, _tailtune_v1_GetUpdatesResponseInput>;
  
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
  GetState: MethodDefinition<_tailtune_v1_GetStateRequestInput, _tailtune_v1_GetStateResponseInput, _tailtune_v1_GetStateRequest, _tailtune_v1_GetStateResponse>
  GetUpdates: MethodDefinition<_tailtune_v1_GetUpdatesRequestInput, _tailtune_v1_GetUpdatesResponseInput, _tailtune_v1_GetUpdatesRequest, _tailtune_v1_GetUpdatesResponse>
  PutAnswer: MethodDefinition<_tailtune_v1_PutAnswerRequestInput, _tailtune_v1_PutAnswerResponseInput, _tailtune_v1_PutAnswerRequest, _tailtune_v1_PutAnswerResponse>
}
