import { TailtuneError } from "../../../shared/errors.ts";
import type { EngineInfo, EngineOptions } from "../engine.ts";
import { GraphBuilder } from "./graph-builder.ts";
import { NEEDS, prepareProvider, providerOf } from "./provider.ts";
import { floats, onnxInfo, Session } from "./session.ts";

/**
 * What ONNX Runtime will compute on; where that isn't the processor, it has added two numbers there.
 * @throws TailtuneError "engine" where it can't: nothing else takes its place
 */
export async function describeOnnx(options: EngineOptions): Promise<EngineInfo> {
	const provider = providerOf(options);
	if (provider) {
		prepareProvider(provider);
		await addOnce(options).catch((cause) => {
			const expected = `expected ${NEEDS[provider]}`;
			throw new TailtuneError("engine", `onnx ${provider}: ${(cause as Error).message}, ${expected}`, { cause });
		});
	}
	return onnxInfo(options);
}

async function addOnce(options: EngineOptions): Promise<void> {
	const graph = new GraphBuilder("one sum");
	const one = graph.input("one", "float32", [1]);
	graph.output("sum", graph.op("Add", [one, one]), "float32", [1]);
	const session = await Session.open(graph.build(), options);
	await session.run({ one: floats(Float32Array.of(1), [1]) }, { sum: floats(new Float32Array(1), [1]) });
	await session.dispose();
}
