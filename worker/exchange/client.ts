import type { ChannelCredentials, ClientOptions as GrpcOptions } from "@grpc/grpc-js";
import { sendToken } from "../../shared/rpc/authorization.ts";
import {
	KEEPALIVE_LIMIT_MS,
	KEEPALIVE_MS,
	MAX_MESSAGE_BYTES,
	RECONNECT_FIRST_MS,
	RECONNECT_LONGEST_MS,
	WINDOW_BYTES,
} from "../../shared/rpc/config.ts";
import { clientCredentials, type TlsFiles } from "../../shared/rpc/credentials.ts";
import { silenceLibrary } from "../../shared/rpc/silence-library.ts";

export interface ClientOptions {
	/** Default: plain text. */
	readonly tls?: TlsFiles | undefined;
	/** Sent as bearer token. */
	readonly token?: string | undefined;
}

type ClientConstructor<Client> = new (address: string, credentials: ChannelCredentials, options: GrpcOptions) => Client;

/**
 * A client with keepalive, message limits and wide windows; it connects when first used, and again when cut off.
 * @throws TailtuneError "denied" where TLS files aren't usable
 */
export async function createClient<Client>(
	Constructor: ClientConstructor<Client>,
	address: string,
	{ tls, token }: ClientOptions = {},
): Promise<Client> {
	silenceLibrary();
	return new Constructor(address, await clientCredentials(tls), {
		"grpc-node.flow_control_window": WINDOW_BYTES,
		"grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
		"grpc.max_send_message_length": MAX_MESSAGE_BYTES,
		"grpc.keepalive_time_ms": KEEPALIVE_MS,
		"grpc.keepalive_timeout_ms": KEEPALIVE_LIMIT_MS,
		"grpc.initial_reconnect_backoff_ms": RECONNECT_FIRST_MS,
		"grpc.max_reconnect_backoff_ms": RECONNECT_LONGEST_MS,
		// The library would keep what was sent for trying again by itself; a tensor is sent again as a whole, or not at all.
		"grpc.enable_retries": 0,
		// A worker and its coordinator see each other; a proxy set for the web isn't meant for them.
		"grpc.enable_http_proxy": 0,
		// Connections aren't shared between clients: each is closed with its own.
		"grpc.use_local_subchannel_pool": 1,
		interceptors: token === undefined ? [] : [sendToken(token)],
	});
}
