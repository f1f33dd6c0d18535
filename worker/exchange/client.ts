import {
	type ChannelCredentials,
	type ClientOptions as GrpcOptions,
	InterceptingCall,
	type Interceptor,
} from "@grpc/grpc-js";
import { ClientSockets } from "../../shared/client-sockets.ts";
import {
	CALL_SILENCE_MS,
	RPC_KEEPALIVE_ANSWER_MS,
	RPC_KEEPALIVE_MS,
	RPC_RECONNECT_FIRST_MS,
	RPC_RECONNECT_LONGEST_MS,
} from "../../shared/deadlines.ts";
import { sendToken } from "../../shared/rpc/authorization.ts";
import { MAX_MESSAGE_BYTES, WINDOW_BYTES } from "../../shared/rpc/config.ts";
import { readClientCredentials, type TlsFiles } from "../../shared/rpc/credentials.ts";
import { silenceLibrary } from "../../shared/rpc/silence-library.ts";

export interface ClientOptions {
	/** Unset: no encryption. */
	readonly tls?: TlsFiles | undefined;
	/** Sent as bearer token. */
	readonly token?: string | undefined;
}

type ClientConstructor<Client> = new (address: string, credentials: ChannelCredentials, options: GrpcOptions) => Client;

/**
 * Creates a client with keepalive, message limits and large flow-control windows. It connects at the first call, and
 * again after the connection broke or the server was silent. `close` also closes sockets of silent servers.
 * @throws TailtuneError "denied" if the TLS files aren't usable
 */
export async function createClient<Client extends { close(): void }>(
	Constructor: ClientConstructor<Client>,
	address: string,
	{ tls, token }: ClientOptions = {},
): Promise<Client> {
	silenceLibrary();
	const sockets = new ClientSockets(CALL_SILENCE_MS);
	const client = new Constructor(address, await readClientCredentials(tls), {
		"grpc-node.flow_control_window": WINDOW_BYTES,
		"grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
		"grpc.max_send_message_length": MAX_MESSAGE_BYTES,
		"grpc.keepalive_time_ms": RPC_KEEPALIVE_MS,
		"grpc.keepalive_timeout_ms": RPC_KEEPALIVE_ANSWER_MS,
		"grpc.initial_reconnect_backoff_ms": RPC_RECONNECT_FIRST_MS,
		"grpc.max_reconnect_backoff_ms": RPC_RECONNECT_LONGEST_MS,
		// The library would store sent messages in order to retry; our code sends a whole tensor again, or none.
		"grpc.enable_retries": 0,
		// A worker reaches its coordinator directly; proxies for the web aren't used.
		"grpc.enable_http_proxy": 0,
		// Clients don't share connections, so each connection is closed with its client.
		"grpc.use_local_subchannel_pool": 1,
		interceptors: [connectBy(sockets), ...(token === undefined ? [] : [sendToken(token)])],
	});
	const { close } = client;
	client.close = () => {
		close.call(client);
		sockets.destroySilent();
	};
	return client;
}

/** Adds the sockets of a client to `sockets`. The library connects when a call starts, and later by timers set then. */
function connectBy(sockets: ClientSockets): Interceptor {
	return (options, nextCall) =>
		new InterceptingCall(nextCall(options), {
			start: (metadata, listener, next) => sockets.run(() => next(metadata, listener)),
		});
}
