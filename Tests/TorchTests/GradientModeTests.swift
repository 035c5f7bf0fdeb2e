import Foundation
import TestSupport
import Testing
import Torch

@Suite("Gradients, autocast and threads", .tags(.unit))
@ModelActor
struct GradientModeTests {
    @Test("backward() gives the derivative and adds up")
    func derivative() throws {
        let x = try Tensor([2, 3], shape: [2])
        try x.setRequiresGradient(true)
        try (x * x).sum().backward()
        #expect(try x.gradient()?.floats() == [4, 6])
        try (x * x).sum().backward()
        #expect(try x.gradient()?.floats() == [8, 12])
        try x.clearGradient()
        #expect(try x.gradient() == nil)
    }

    @Test("Integers have no gradient, and a constant no backward()")
    func refused() throws {
        let integers = try Tensor([Int64(1)], shape: [1])
        #expect(throws: TorchError.self) { try integers.setRequiresGradient(true) }
        #expect(throws: TorchError.self) { try Tensor.ones([]).backward() }
    }

    @Test("The mode is restored, after an error too")
    func scopes() throws {
        #expect(isGradientEnabled)
        withoutGradient {
            #expect(!isGradientEnabled)
            withoutGradient { #expect(!isGradientEnabled) }
            #expect(!isGradientEnabled)
        }
        #expect(throws: TorchError.self) {
            try withoutGradient { () throws(TorchError) in try Tensor.zeros([-1]) }
        }
        #expect(isGradientEnabled)

        let x = try Tensor.ones([2])
        try x.setRequiresGradient(true)
        #expect(
            try withoutGradient { () throws(TorchError) in try x * 2 }.requiresGradient == false
        )
        #expect(try (x * 2).requiresGradient)
    }

    @Test("Autocast shortens products inside its scope only")
    func autocast() throws {
        let x = try Tensor.ones([4, 4])
        let product = try withAutocast(.bfloat16) { () throws(TorchError) in try x.matmul(x) }
        #expect(product.dtype == .bfloat16)
        #expect(!isAutocastEnabled(on: .cpu))
        #expect(try x.matmul(x).dtype == .float32)
        #expect(
            try withAutocast(nil) { () throws(TorchError) in try x.matmul(x) }.dtype == .float32
        )
        _ = try? withAutocast(.bfloat16) { () throws(TorchError) in try Tensor.zeros([-1]) }
        #expect(!isAutocastEnabled(on: .cpu))
    }

    @Test("The model's actor keeps its thread across suspensions")
    func oneThread() async throws {
        var threads: Set<UInt> = []
        for _ in 0..<20 {
            threads.insert(currentThread())
            await Task.detached { await Task.yield() }.value
        }
        #expect(threads.count == 1)
        #expect(isGradientEnabled)
    }

    private func currentThread() -> UInt {
        UInt(bitPattern: ObjectIdentifier(Thread.current).hashValue)
    }
}
