import CBaseline
import Torch

/// One operation through Swift and the C interface, against the same operation called from C++.
@ModelActor
func measureWrapper() throws {
    print("The wrapper (goal: at most 2 µs an operation)")
    try withoutGradient {
        for elements in [1, 1024] {
            let (a, b) = try (Tensor.ones([elements]), Tensor.ones([elements]))
            try compare(
                "add, \(elements) elements",
                { calls in try seconds { for _ in 0..<calls { _ = try a + b } } },
                { baseline_add(Int64(elements), Int64($0)) }
            )
        }
        let (x, weight, bias) = try (Tensor.ones([1, 8]), Tensor.ones([8, 8]), Tensor.ones([8]))
        try compare(
            "linear 1 × 8 × 8",
            { calls in
                try seconds { for _ in 0..<calls { _ = try Functional.linear(x, weight, bias) } }
            },
            { baseline_linear(1, 8, Int64($0)) }
        )
        let shape = median(calls: 100_000) { calls in
            seconds { for _ in 0..<calls { _ = x.shape } }
        }
        report("shape", shape * 1e6, "µs")
    }
}

@ModelActor
private func compare(
    _ name: String,
    _ swift: (Int) throws -> Double,
    _ direct: (Int) -> Double
) rethrows {
    let times = try fastest(calls: 5000, swift, direct)
    Comparison.row("\(name), Swift", against: "C++", atLeast: 0.65, times)
    report("  added by the wrapper", (times.first - times.second) * 1e6, "µs")
}
