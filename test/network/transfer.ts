// Measures the network between two hosts. `echo` sends each connection's bytes back; `send HOST BYTES` prints the
// milliseconds to connect, then those until that many bytes have come back, and their number.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { performance } from "node:perf_hooks";

const PORT = 5000;
const [mode, host = "", bytes = ""] = process.argv.slice(2);
if (mode === "echo") {
	const server = createServer((socket) => void socket.pipe(socket));
	server.listen(PORT, () => console.log("listening"));
} else {
	const beganMs = performance.now();
	const socket = connect(PORT, host);
	await once(socket, "connect");
	const connectedMs = performance.now();
	let echoed = 0;
	socket.on("data", ({ length }) => {
		echoed += length;
	});
	socket.end(Buffer.alloc(Number(bytes)));
	await once(socket, "end");
	const transferMs = performance.now() - connectedMs;
	console.log(JSON.stringify({ connectMs: connectedMs - beganMs, transferMs, echoed }));
}
