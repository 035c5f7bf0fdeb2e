import TestSupport
import Testing
import Torch
import TorchNN

private final class Inner: Module {
    let fullWidth: Linear
    let scale: Parameter

    init(width: Int) throws {
        self.fullWidth = try Linear(width, 3)
        self.scale = try Parameter(Tensor.ones([4]))
    }
}

private class Base: Module {
    let first: Inner?
    let absent: Inner? = nil

    override init() {
        self.first = try? Inner(width: 2)
    }
}

private final class Outer: Base {
    let layers: [Inner]
    let bnStatistics: Buffer
    let name = "not a parameter"
    let bare: Tensor

    init(_ value: Tensor) throws {
        self.layers = try [Inner(width: 2), Inner(width: 2)]
        self.bnStatistics = Buffer(value)
        self.bare = value
        super.init()
    }
}

private final class Wrapper: Module {
    let network: Inner
    let headBias: Parameter

    override var unnamedProperties: Set<String> { ["network"] }

    init(width: Int) throws {
        self.network = try Inner(width: width)
        self.headBias = try Parameter(Tensor.ones([2]))
        super.init()
    }
}

@Suite("Modules", .tags(.unit))
@ModelActor
struct ModuleTests {
    @Test(
        "Names are the properties' in snake case, superclass first, arrays by index; bare tensors are nothing"
    )
    func names() throws {
        let module = try Outer(Tensor.zeros([5]))
        #expect(
            module.namedTensors().map(\.name) == [
                "first.full_width.weight", "first.full_width.bias", "first.scale",
                "layers.0.full_width.weight", "layers.0.full_width.bias", "layers.0.scale",
                "layers.1.full_width.weight", "layers.1.full_width.bias", "layers.1.scale",
                "bn_statistics",
            ]
        )
        #expect(module.parameterCount == 3 * (6 + 3 + 4))
        #expect(module.namedModules().map(\.name).contains("layers.1.full_width"))
    }

    @Test("An unnamed property leaves the keys below it as they are")
    func unnamed() throws {
        let module = try Wrapper(width: 2)
        #expect(
            module.namedTensors().map(\.name) == [
                "full_width.weight", "full_width.bias", "scale", "head_bias",
            ]
        )
        #expect(module.namedModules().map(\.name) == ["", "full_width"])
        module.eval()
        #expect(!module.network.isTraining && !module.network.fullWidth.isTraining)
    }

    @Test("The mode and freezing reach every child")
    func modes() throws {
        let module = try Outer(Tensor.zeros([5]))
        module.eval()
        #expect(module.namedModules().allSatisfy { !$0.module.isTraining })
        module.train()
        #expect(module.isTraining)
        #expect(module.namedModules().allSatisfy { $0.module.isTraining })
        try module.setRequiresGradient(false)
        #expect(module.namedParameters().allSatisfy { !$0.parameter.requiresGradient })
    }
}
