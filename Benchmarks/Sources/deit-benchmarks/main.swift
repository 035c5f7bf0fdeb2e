// What the Swift wrapper costs, and how fast the kernels and the image path are beside others. `make bench` runs it.
//
// Machines differ and are shared: each threshold is a ratio of two things that were timed in turn.
import Foundation
import Torch

typealias Section = @ModelActor () throws -> Void
let sections: KeyValuePairs<String, Section> = [
    "wrapper": measureWrapper,
    "linear": measureLinear,
    "attention": measureAttention,
    "pointwise": measurePointwise,
    "batch": measureBatch,
    "step": measureStep,
    "decode": measureDecode,
    "resize": measureResize,
    "augment": measureAugment,
    "reading": measureReading,
]
let needsOneDNN: Set = ["linear", "attention", "batch"]

let arguments = CommandLine.arguments.dropFirst()
let wanted = arguments.filter { $0 != "--strict" }
let names = sections.map(\.key)
if let unknown = wanted.first(where: { !names.contains($0) }) {
    print("there is no \"\(unknown)\"; give --strict or some of: \(names.joined(separator: ", "))")
    exit(64)
}

Libtorch.keepFreedMemory()  // As the command does.
try Libtorch.checkVersion()
print(
    "libtorch \(Libtorch.versionOfHeaders), \(Libtorch.threadCount) threads, oneDNN \(Libtorch.hasOneDNN ? "yes" : "no")"
)
if !Libtorch.hasFastBFloat16 {
    print("the processor multiplies no bfloat16: the rows of bf16 are left out")
}
for (name, section) in sections where wanted.isEmpty || wanted.contains(name) {
    print()
    guard Libtorch.hasOneDNN || !needsOneDNN.contains(name) else {
        print("\(name): left out, libtorch has no oneDNN here")
        continue
    }
    try await ModelActor.run(section)
}
let (count, missed) = await ModelActor.run { (Comparison.count, Comparison.missed) }
print("\n\(count - missed.count) of \(count) rows reach their threshold")
for name in missed { print("MISSED: \(name)") }
exit(arguments.contains("--strict") && !missed.isEmpty ? 1 : 0)
