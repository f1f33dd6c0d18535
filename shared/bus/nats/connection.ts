import { setMaxListeners } from "node:events";
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
import { ClientSockets } from "../../client-sockets.ts";
import {
	NATS_CLOSE_MS,
	NATS_CONNECT_MS,
	NATS_RECONNECT_MS,
	NATS_REQUEST_MS,
	NATS_RETRY_FIRST_MS,
	NATS_RETRY_LONGEST_MS,
} from "../../deadlines.ts";
import { TailtuneError } from "../../errors.ts";
import { joinSignals } from "../../join-signals.ts";
import { type Hold, Notices } from "../../notices.ts";
import { raceAbort } from "../../race-abort.ts";
import { checkNatsUrls } from "../../settings/nats-urls.ts";
import { HEADER_BYTES } from "./config.ts";
import type { NatsTls } from "./credentials.ts";
import { isTransient, type NatsTrouble, troubleOf } from "./trouble.ts";

export { isTransient };

export interface NatsConnectionOptions {
	/** One or more URLs with commas between, as in "nats://host:4222". */
	readonly servers: string;
	/** From `readNatsCredentials`. */
	readonly credentials?: Authenticator | undefined;
	readonly tls?: NatsTls | undefined;
	/** Name of this connection in the server's monitoring. */
	readonly name: string;
	readonly inboxPrefix: string;
	/** Time between pings in ms. A broken connection is noticed within twice this time. */
	readonly pingMs: number;
	/** Called with one line for each lost or regained connection and each error. */
	readonly log: (line: string) => void;
	/** Receives the reasons why operations wait for the server; default: not reported. */
	readonly notices?: Notices | undefined;
	/** Time in ms after which a waiting operation fails; default: it waits without limit. */
	readonly patienceMs?: number | undefined;
	/** Cancels the attempt to connect; default: only the deadline ends it. */
	readonly signal?: AbortSignal | undefined;
}

/** A connection to NATS that reconnects automatically, without limit. Operations wait for it and are retried. */
export class NatsLink {
	readonly nc: NatsConnection;
	readonly js: JetStreamClient;
	readonly jsm: JetStreamManager;
	/** Aborted when the connection is closed by `close` or has failed permanently. */
	readonly closed: AbortSignal;
	readonly log: (line: string) => void;
	readonly notices: Notices;
	/** Name of the server for messages, as in "NATS at nats://host:4222". */
	readonly at: string;
	readonly #sockets: ClientSockets;
	readonly #patienceMs: number;
	readonly #closing = new AbortController();
	readonly #listeners = { connected: new Set<() => void>(), disconnected: new Set<() => void>() };
	#isConnected = true;
	#failure: TailtuneError | undefined;

	static async open(options: NatsConnectionOptions): Promise<NatsLink> {
		const sockets = new ClientSockets(NATS_CONNECT_MS);
		const nc = await connectTo(options, sockets);
		return new NatsLink(nc, sockets, await nc.jetstreamManager({ checkAPI: false, timeout: NATS_REQUEST_MS }), options);
	}

	private constructor(
		nc: NatsConnection,
		sockets: ClientSockets,
		jsm: JetStreamManager,
		options: NatsConnectionOptions,
	) {
		this.nc = nc;
		this.#sockets = sockets;
		this.jsm = jsm;
		this.js = nc.jetstream({ timeout: NATS_REQUEST_MS });
		this.log = options.log;
		this.notices = options.notices ?? new Notices();
		this.at = nameOf(options);
		this.#patienceMs = options.patienceMs ?? Number.POSITIVE_INFINITY;
		this.closed = this.#closing.signal;
		setMaxListeners(0, this.closed); // each pending request adds one
		this.#reportLosses();
		this.#followStatus().catch(() => {});
		nc.closed()
			.then((error) => this.#close(error ? this.#lossOf(error) : undefined))
			.catch(() => {});
	}

	/** Largest size in bytes of a message without its headers. */
	get maxMessageBytes(): number {
		return (this.nc.info?.max_payload ?? Number.POSITIVE_INFINITY) - HEADER_BYTES;
	}

	get isConnected(): boolean {
		return this.#isConnected;
	}

	/** The reason why the connection failed permanently; undefined if it is open or was closed by `close`. */
	get failure(): TailtuneError | undefined {
		return this.#failure;
	}

	/** Calls `callback` at every change of this kind. @returns a function that removes the callback */
	on(change: "connected" | "disconnected", callback: () => void): () => void {
		this.#listeners[change].add(callback);
		return () => this.#listeners[change].delete(callback);
	}

	/**
	 * Repeats an action until it succeeds: waits while there is no connection, and retries if the server can't do it yet.
	 * The notices hold the reason during that time.
	 * @param patienceMs time limit in ms; default: that of the connection
	 * @throws TailtuneError "offline" with the reason after the time limit, "denied" if the user lacks the permission,
	 * the reason of `signal` or of `closed`, and any other error of the action
	 */
	async persist<T>(action: () => Promise<T>, signal?: AbortSignal, patienceMs = this.#patienceMs): Promise<T> {
		const hold = this.notices.hold();
		const deadline = new AbortController();
		let last: NatsTrouble | undefined;
		const giveUp = () => {
			const reason = last?.text ?? (this.#isConnected ? `${this.at} doesn't answer` : this.#lossText);
			deadline.abort(new TailtuneError("offline", reason));
		};
		const timer = patienceMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(giveUp, patienceMs);
		const { signal: end, release } = joinSignals(this.closed, deadline.signal, ...(signal ? [signal] : []));
		const note = (error: unknown) => {
			last = this.#troubleOf(error);
			if (last) hold.begin(last.kind, last.text, last.reportAfterMs);
			else hold.end();
		};
		try {
			return await raceAbort(this.#retry(action, end, note), end);
		} catch (error) {
			throw end.aborted ? end.reason : translate(error);
		} finally {
			clearTimeout(timer);
			release();
			hold.end();
		}
	}

	/** Waits until all sent messages have left, then closes the connection. */
	async close(): Promise<void> {
		if (this.#isConnected && !this.nc.isClosed()) await waitAtMost(NATS_CLOSE_MS, this.nc.flush());
		this.#close();
		await this.nc.close();
		this.#sockets.destroySilent();
	}

	/** Does an action once. If the server can't do it now, the action is skipped and `hold` reports the reason. */
	async attempt(action: () => Promise<unknown>, hold: Hold): Promise<void> {
		try {
			await action();
			hold.end();
		} catch (error) {
			if (!isTransient(error)) throw error;
			const trouble = this.#troubleOf(error);
			if (trouble) hold.begin(trouble.kind, trouble.text);
			else hold.end();
		}
	}

	#troubleOf(error: unknown): NatsTrouble | undefined {
		return isTransient(error) ? troubleOf(error, this.at, this.nc.info?.jetstream ?? false) : undefined;
	}

	#retry<T>(action: () => Promise<T>, end: AbortSignal, onFailure: (error: unknown) => void): Promise<T> {
		const attempt = async () => {
			await this.#untilConnected(end);
			end.throwIfAborted();
			return this.#whileConnected(action);
		};
		return pRetry(attempt, {
			retries: Number.POSITIVE_INFINITY,
			minTimeout: NATS_RETRY_FIRST_MS,
			maxTimeout: NATS_RETRY_LONGEST_MS,
			signal: end,
			onFailedAttempt: ({ error }) => onFailure(error),
			shouldRetry: ({ error }) => isTransient(error),
		});
	}

	get #lossText(): string {
		return `there is no connection to ${this.at}`;
	}

	#reportLosses(): void {
		const hold = this.notices.hold();
		this.on("disconnected", () => hold.begin("connection", this.#lossText));
		this.on("connected", () => hold.end());
		this.closed.addEventListener("abort", () => hold.end());
	}

	#lossOf(cause: Error): TailtuneError {
		if (isAuthError(cause)) return new TailtuneError("denied", `${this.at} rejects the credentials`, { cause });
		return new TailtuneError("offline", `the connection to ${this.at} is lost: ${cause.message}`, { cause });
	}

	#close(failure?: TailtuneError): void {
		this.#isConnected = false;
		if (this.closed.aborted) return;
		this.#failure = failure;
		this.#closing.abort(failure ?? new TailtuneError("protocol", "the bus is closed"));
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

	/** Runs an action; rejects when the connection breaks, because the reply would never arrive. */
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
			if (type === Events.Disconnect && this.#isConnected) this.#onStatus(false, `lost ${data}`);
			else if (type === Events.Reconnect && !this.#isConnected) this.#onStatus(true, `back at ${data}`);
			else if (type === Events.Error) this.log(`NATS: ${data}`);
		}
	}

	#onStatus(isConnected: boolean, text: string): void {
		this.#isConnected = isConnected;
		this.log(`NATS: ${text}`);
		for (const callback of [...this.#listeners[isConnected ? "connected" : "disconnected"]]) callback();
	}
}

/** Whether a stream, a consumer or a message does not exist. */
export function isNotFound(error: unknown): boolean {
	return error instanceof NatsError && (error.code === "404" || error.api_error?.code === 404);
}

/** Whether the request had no receiver, for example because the stream is missing or JetStream is not ready. */
export function isNoResponders(error: unknown): boolean {
	return error instanceof NatsError && error.code === ErrorCode.NoResponders;
}

/** Whether no reply arrived in time. */
export function isTimeout(error: unknown): boolean {
	return error instanceof NatsError && error.code === ErrorCode.Timeout;
}

/** Waits for a promise, at most `ms`. Resolves in every case: a rejection and the time-out are ignored. */
export async function waitAtMost(ms: number, promise: Promise<unknown>): Promise<void> {
	let timer: NodeJS.Timeout | undefined;
	const timeout = new Promise<void>((resolve) => {
		timer = setTimeout(resolve, ms);
	});
	await Promise.race([promise.catch(() => {}), timeout]);
	clearTimeout(timer);
}

function translate(error: unknown): unknown {
	if (!(error instanceof NatsError)) return error;
	const isDenied = error.code === ErrorCode.PermissionsViolation;
	return new TailtuneError(isDenied ? "denied" : "protocol", `NATS: ${error.message}`, { cause: error });
}

async function connectTo(options: NatsConnectionOptions, sockets: ClientSockets): Promise<NatsConnection> {
	const servers = checkNatsUrls(options.servers)
		.split(",")
		.map((url) => url.trim());
	const connecting = sockets.run(() =>
		connect({
			servers,
			name: options.name,
			inboxPrefix: options.inboxPrefix,
			timeout: NATS_CONNECT_MS,
			pingInterval: options.pingMs,
			maxPingOut: 1,
			maxReconnectAttempts: -1,
			reconnectTimeWait: NATS_RECONNECT_MS,
			noAsyncTraces: true,
			...(options.credentials && { authenticator: options.credentials }),
			...(options.tls && { tls: options.tls }),
		}),
	);
	try {
		return await (options.signal ? raceAbort(connecting, options.signal) : connecting);
	} catch (cause) {
		sockets.destroySilent();
		if (options.signal?.aborted) {
			connecting.then((nc) => nc.close()).catch(() => {});
			throw options.signal.reason;
		}
		if (isAuthError(cause)) throw new TailtuneError("denied", `${nameOf(options)} rejects the credentials`, { cause });
		const reason = cause instanceof Error ? cause.message : String(cause);
		throw new TailtuneError("offline", `${nameOf(options)} can't be reached: ${reason}`, { cause });
	}
}

function nameOf({ servers }: NatsConnectionOptions): string {
	return `NATS at ${servers}`;
}

function isAuthError(error: unknown): boolean {
	return error instanceof NatsError && error.isAuthError();
}
