import { realClock } from "../../shared/clock.ts";
import type { TlsFiles } from "../../shared/rpc/credentials.ts";
import type { ClassifierEngine } from "../classify/classifier.ts";
import type { OpenCluster } from "../cluster/cluster.ts";
import { createServer } from "../rpc/server.ts";
import { httpApp, listenHttp } from "./http.ts";
import { Calls } from "./in-flight-calls.ts";
import { createLog, type Log } from "./log.ts";
import { ServeMetrics } from "./metrics.ts";
import { ModelHost } from "./model-host.ts";
import { readTokens } from "./read-tokens.ts";
import type { ServeOptions } from "./serve-options.ts";
import { classifierService } from "./service.ts";
import { standardServices } from "./standard-services.ts";

export interface ServeParts {
	/** Result folder of a run, which may still be training. */
	readonly run: string;
	readonly options: ServeOptions;
	readonly engine: ClassifierEngine;
	readonly openCluster: OpenCluster;
	/** Batches that may be under way at the same time, all workers together. */
	readonly shards: number;
}

/** A server under way. */
export interface Serving {
	/** HOST:PORT of gRPC, and of HTTP where that was asked for. */
	readonly address: string;
	readonly httpAddress: string | undefined;
	/** Settles when the run's model answers, or the wait for its first one has begun; rejects where it can't be used. */
	readonly ready: Promise<void>;
	/** Takes no new call, answers those under way, and ends: within ten seconds, whatever callers do. */
	drain(): Promise<void>;
}

/** For calls under way, and for their answers to go out. */
const DRAIN_MS = 8_000;
const FLUSH_MS = 500;

/**
 * Serves the model of a run by gRPC and HTTP. It listens before the model is loaded, which health probes are told of.
 * @throws TailtuneError where an option can't be used; nothing listens then
 */
export async function serve(parts: ServeParts): Promise<Serving> {
	const { run, options } = parts;
	const log = createLog(options.logLevel);
	const tls = tlsOf(options);
	const tokens = options.tokenFile === undefined ? undefined : await readTokens(options.tokenFile);
	const metrics = new ServeMetrics(() => host.models);
	const calls = new Calls(metrics, log);
	const standard = standardServices();
	const isServing = () => host.current !== undefined && !calls.draining.aborted;
	const host = openHost(parts, { metrics, log, onLook: () => standard.setServing(isServing()) });
	const service = { host, calls, log, logTexts: options.logTexts };
	const server = await createServer(
		{ listen: options.listen, tls, tokens, onRefused: (reason) => metrics.refused(reason) },
		[classifierService(service), ...standard.services],
	);
	const onlyLoopback = tokens === undefined && tls === undefined;
	const app = httpApp({ ...service, metrics, tokens, onlyLoopback, cors: options.cors, isServing });
	const listening = options.http === undefined ? undefined : listenHttp(app, options.http, tls, tokens !== undefined);
	const http = await listening?.catch(async (error) => {
		await server.close();
		throw error;
	});
	log.info({ grpc: server.address, http: http?.address, run }, "listening");
	const drain = async () => {
		log.info("draining");
		standard.setServing(false);
		const left = await calls.drain(DRAIN_MS);
		if (left > 0) log.warn({ calls: left }, "calls cut off");
		await Promise.all([server.close(FLUSH_MS), http?.close()]);
		await host.close();
		log.info("ended");
	};
	return { address: server.address, httpAddress: http?.address, ready: host.start(), drain };
}

function openHost(
	{ run, options, ...parts }: ServeParts,
	{ metrics, log, onLook }: { metrics: ServeMetrics; log: Log; onLook: () => void },
): ModelHost {
	const host: ModelHost = new ModelHost({
		run,
		open: ModelHost.opener({
			...parts,
			limits: options,
			onBatch: (...batch) => metrics.batch(...batch),
			onFault: (error) => host.reopen(error),
		}),
		clock: realClock,
		log,
		onLook: (outcome) => {
			metrics.model(outcome);
			onLook();
		},
	});
	return host;
}

function tlsOf({ tlsCert, tlsKey, tlsCa }: ServeOptions): TlsFiles | undefined {
	return tlsCert === undefined ? undefined : { certFile: tlsCert, keyFile: tlsKey, caFile: tlsCa };
}
