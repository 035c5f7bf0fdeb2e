import CBaseline
import Torch

/// One operation through Swift and the C interface, against the same operation called from C++.
@ModelActor
func measureWrapper() throws {
    print("The wrapper (goal: at most 2 µs an operation)")
    try withoutGradient {
        for elements in [1, 1024] {
            let (a, b) = try (Tensor.ones([elements]), Tensor.ones([elements]))
            let swift = try median(calls: 20_000) { calls in
                try seconds { for _ in 0..<calls { _ = try a + b } }
            }
            let direct = median(calls: 20_000) { baseline_add(Int64(elements), Int64($0)) }
            report("add, \(elements) elements, Swift", swift * 1e6, "µs")
            report("add, \(elements) elements, C++", direct * 1e6, "µs")
            report("  added by the wrapper", (swift - direct) * 1e6, "µs")
        }
        let (x, weight, bias) = try (Tensor.ones([1, 8]), Tensor.ones([8, 8]), Tensor.ones([8]))
        let swift = try median(calls: 10_000) { calls in
            try seconds { for _ in 0..<calls { _ = try Functional.linear(x, weight, bias) } }
        }
        let direct = median(calls: 10_000) { baseline_linear(1, 8, Int64($0)) }
        report("linear 1 × 8 × 8, Swift", swift * 1e6, "µs")
        report("linear 1 × 8 × 8, C++", direct * 1e6, "µs")
        report("  added by the wrapper", (swift - direct) * 1e6, "µs")
        let shape = median(calls: 100_000) { calls in
            seconds { for _ in 0..<calls { _ = x.shape } }
        }
        report("shape", shape * 1e6, "µs")
    }
    print()
}
