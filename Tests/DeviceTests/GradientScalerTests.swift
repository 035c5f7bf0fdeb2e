import TestSupport
import Testing
import Torch
import TorchNN

/// The scaler of losses against torch 2.13's `torch.amp.GradScaler("cpu", init_scale=4, growth_interval=2)`.
@ModelActor @Suite(.serialized) struct GradientScalerTests {
    /// A gradient of three equal elements, and torch's scale, growth tracker and parameter after SGD's step with rate 1.
    nonisolated private static let steps:
        [(Float, scale: Float, tracker: Float, parameter: Float)] = [
            (1, 4, 1, 0), (2, 8, 0, -2), (.infinity, 4, 0, -2), (1, 4, 1, -3), (1, 8, 0, -4),
            (1, 8, 1, -5), (1, 16, 0, -6), (.nan, 8, 0, -6), (1, 8, 1, -7),
        ]

    @Test func `steps, overflows and the scale are torch's, on both devices`() throws {
        try Compared.onBoth(tolerance: 0) { device in
            let options = GradientScaler.Options(initial: 4, interval: 2)
            let scaler = try GradientScaler(on: device, options)
            let parameter = try Tensor.ones([3], device: device)
            var found: [Float] = []
            for (gradient, scale, tracker, expected) in Self.steps {
                let loss = try scaler.scaled(Tensor.full(Double(gradient), [], device: device))
                let gradients = [try Tensor.zeros([3], device: device) + loss]
                let overflowed = try scaler.unscale(gradients).item() != 0
                #expect(overflowed == !gradient.isFinite)
                if !overflowed { try parameter.copy(from: parameter - gradients[0]) }
                try scaler.update()
                let state = try scaler.namedState().map { try $0.tensor.item() }
                #expect(state == [Double(scale), Double(tracker)], "\(gradient)")
                #expect(try parameter.floats() == [expected, expected, expected], "\(gradient)")
                found += state.map(Float.init)
            }
            return [("states", found)]
        }
    }

    @Test func `without gradients nothing overflows, and a state is loaded by copying`() throws {
        let scaler = try GradientScaler(on: .cpu)
        #expect(try scaler.unscale([]).item() == 0)
        for (_, tensor) in scaler.namedState() { try tensor.fill(3) }
        #expect(try scaler.scaled(Tensor.ones([])).item() == 3)
        #expect(scaler.namedState().map(\.name) == ["scale", "growth_tracker"])
    }
}
