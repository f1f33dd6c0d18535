import {
	type Authenticator,
	connect,
	ErrorCode,
	Events,
	type JetStreamClient,
	type JetStreamManager,
	type NatsConnection,
	NatsError,
} from "nats";
import pRetry from "p-retry";
import { TailtuneError } from "../errors.ts";
import { CONNECT_MS, FAREWELL_MS, RECONNECT_WAIT_MS, REQUEST_MS, RETRY_MAX_MS, RETRY_MIN_MS } from "./nats-config.ts";
import type { NatsTlsFiles } from "./nats-credentials.ts";

export interface NatsConnectionOptions {
	/** One or more URLs with commas between, as in "nats://host:4222". */
	readonly servers: string;
	/** From `natsCredentials`. */
	readonly credentials?: Authenticator | undefined;
	readonly tls?: NatsTlsFiles | undefined;
	/** What the server's monitoring calls this connection. */
	readonly name: string;
	readonly inboxPrefix: string;
	/** A broken connection shows within twice this time. */
	readonly pingMs: number;
	/** Told of losses, returns and refusals, a line each. */
	readonly log: (line: string) => void;
}

/** A connection that comes back by itself, for ever, and lets those who wait for it try again. */
export class NatsLink {
	readonly nc: NatsConnection;
	readonly js: JetStreamClient;
	readonly jsm: JetStreamManager;
	/** Aborted when the connection is given up, by us or for good. */
	readonly closed: AbortSignal;
	readonly log: (line: string) => void;
	readonly #closing = new AbortController();
	readonly #listeners = { connected: new Set<() => void>(), disconnected: new Set<() => void>() };
	#isConnected = true;

	static async open(options: NatsConnectionOptions): Promise<NatsLink> {
		const nc = await connectTo(options);
		return new NatsLink(nc, await nc.jetstreamManager({ checkAPI: false, timeout: REQUEST_MS }), options.log);
	}

	private constructor(nc: NatsConnection, jsm: JetStreamManager, log: (line: string) => void) {
		this.nc = nc;
		this.jsm = jsm;
		this.js = nc.jetstream({ timeout: REQUEST_MS });
		this.log = log;
		this.closed = this.#closing.signal;
		this.#followStatus().catch(() => {});
		nc.closed()
			.then((error) => this.#close(error ?? undefined))
			.catch(() => {});
	}

	get isConnected(): boolean {
		return this.#isConnected;
	}

	/** Calls back at every change of that kind from now on. Returns what ends it. */
	on(change: "connected" | "disconnected", callback: () => void): () => void {
		this.#listeners[change].add(callback);
		return () => this.#listeners[change].delete(callback);
	}

	/**
	 * Does something until it succeeds, waiting while there is no connection, and again where the server can't do it yet.
	 * @throws TailtuneError "protocol" when the bus or `signal` ends it, "denied" where the user lacks the permission, and what else the action throws
	 */
	async persist<T>(action: () => Promise<T>, signal?: AbortSignal): Promise<T> {
		const end = signal ? AbortSignal.any([this.closed, signal]) : this.closed;
		const attempt = async () => {
			await this.#untilConnected(end);
			end.throwIfAborted();
			return this.#whileConnected(action);
		};
		return pRetry(attempt, {
			retries: Number.POSITIVE_INFINITY,
			minTimeout: RETRY_MIN_MS,
			maxTimeout: RETRY_MAX_MS,
			signal: end,
			shouldRetry: ({ error }) => isTransient(error),
		}).catch((error) => {
			throw end.aborted ? end.reason : translate(error);
		});
	}

	/** Lets what was sent go out, and closes. */
	async close(): Promise<void> {
		if (this.#isConnected && !this.nc.isClosed()) await within(FAREWELL_MS, this.nc.flush());
		this.#close();
		await this.nc.close();
	}

	#close(cause?: Error): void {
		this.#isConnected = false;
		this.#closing.abort(new TailtuneError("protocol", "the bus is closed", { cause }));
	}

	async #untilConnected(end: AbortSignal): Promise<void> {
		if (this.#isConnected || end.aborted) return;
		await new Promise<void>((resolve) => {
			const done = () => {
				off();
				end.removeEventListener("abort", done);
				resolve();
			};
			const off = this.on("connected", done);
			end.addEventListener("abort", done);
		});
	}

	/** Rejects when the connection breaks: an answer that was under way will not come. */
	#whileConnected<T>(action: () => Promise<T>): Promise<T> {
		return new Promise((resolve, reject) => {
			const off = this.on("disconnected", () => {
				off();
				reject(NatsError.errorForCode(ErrorCode.Disconnect));
			});
			action().then(resolve, reject).finally(off);
		});
	}

	async #followStatus(): Promise<void> {
		for await (const { type, data } of this.nc.status()) {
			if (type === Events.Disconnect && this.#isConnected) this.#become(false, `lost ${data}`);
			else if (type === Events.Reconnect && !this.#isConnected) this.#become(true, `back at ${data}`);
			else if (type === Events.Error) this.log(`NATS: ${data}`);
		}
	}

	#become(isConnected: boolean, what: string): void {
		this.#isConnected = isConnected;
		this.log(`NATS: ${what}`);
		for (const callback of [...this.#listeners[isConnected ? "connected" : "disconnected"]]) callback();
	}
}

/** Whether what was asked of JetStream is not there: a stream, a consumer or a message. */
export function isNotFound(error: unknown): boolean {
	return error instanceof NatsError && (error.code === "404" || error.api_error?.code === 404);
}

/** Whether nobody listened, as where a stream is gone, or JetStream not up yet. */
export function isNoResponders(error: unknown): boolean {
	return error instanceof NatsError && error.code === ErrorCode.NoResponders;
}

/** Whether no reply came in time. */
export function isTimeout(error: unknown): boolean {
	return error instanceof NatsError && error.code === ErrorCode.Timeout;
}

/** Ends as the promise does, or without a word when the time is over. */
export async function within(ms: number, promise: Promise<unknown>): Promise<void> {
	let timer: NodeJS.Timeout | undefined;
	const over = new Promise<void>((resolve) => {
		timer = setTimeout(resolve, ms);
	});
	await Promise.race([promise.catch(() => {}), over]);
	clearTimeout(timer);
}

/** Whether it may go better next time: no connection, no answer, JetStream not up yet. */
export function isTransient(error: unknown): boolean {
	if (!(error instanceof NatsError)) return false;
	const codes: string[] = [ErrorCode.Timeout, ErrorCode.NoResponders, ErrorCode.Disconnect];
	return codes.includes(error.code) || error.api_error?.code === 503;
}

function translate(error: unknown): unknown {
	if (!(error instanceof NatsError)) return error;
	const isDenied = error.code === ErrorCode.PermissionsViolation;
	return new TailtuneError(isDenied ? "denied" : "protocol", `NATS: ${error.message}`, { cause: error });
}

async function connectTo(options: NatsConnectionOptions): Promise<NatsConnection> {
	const servers = options.servers.split(",").map((url) => url.trim());
	// A URL ends up in the list of processes, in logs and in shell histories.
	if (servers.some((url) => url.includes("@")))
		throw new TailtuneError("usage", "a NATS URL with credentials, expected them in the environment: TAILTUNE_NATS_*");
	try {
		return await connect({
			servers,
			name: options.name,
			inboxPrefix: options.inboxPrefix,
			timeout: CONNECT_MS,
			pingInterval: options.pingMs,
			maxPingOut: 1,
			maxReconnectAttempts: -1,
			reconnectTimeWait: RECONNECT_WAIT_MS,
			noAsyncTraces: true,
			...(options.credentials && { authenticator: options.credentials }),
			...(options.tls && { tls: options.tls }),
		});
	} catch (cause) {
		const isRefused = cause instanceof NatsError && cause.isAuthError();
		if (isRefused) throw new TailtuneError("denied", `NATS at ${options.servers} refuses the credentials`, { cause });
		const reason = cause instanceof Error ? cause.message : String(cause);
		throw new TailtuneError("offline", `NATS at ${options.servers} can't be reached: ${reason}`, { cause });
	}
}
