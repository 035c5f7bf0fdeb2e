import TestSupport
import Testing
import Torch
import TorchNN

/// The fake device refuses what a GPU refuses; else the tests on it would prove nothing.
@ModelActor @Suite struct FakeDeviceTests {
    private func refuses(
        _ body: () throws -> Tensor,
        location: SourceLocation = #_sourceLocation
    ) {
        #expect(throws: TorchError.self, sourceLocation: location) { _ = try body() }
    }

    @Test func `a tensor of the CPU among the operands is an error`() throws {
        let there = try Tensor.ones([2, 3]).to(FakeDevice.device)
        let here = try Tensor.ones([2, 3])
        let places = try Tensor([Int64(0), 1], shape: [2])
        refuses { try there + here }
        refuses { try here * there }
        refuses { try Tensor.cat([there, here], dim: 0) }
        refuses { try Tensor.stack([there, here]) }
        refuses { try there.indexSelected(0, places) }
        refuses { try Functional.linear(there, Tensor.ones([4, 3]), nil) }
        refuses { try Functional.linear(there, there, Tensor.ones([2])) }
        refuses {
            try Functional.layerNorm(there, width: 3, weight: Tensor.ones([3]), bias: nil, eps: 0)
        }
        refuses { try Loss.crossEntropy(there, labels: places) }
        refuses { try Loss.crossEntropy(there, targets: here) }
        refuses { try Tensor.where(here.greater(here), there, there) }
        #expect(throws: TorchError.self) {
            try Fused.lerp([there], towards: [here], weight: 0.5)
        }
        let images = try Tensor.ones([1, 1, 4, 4])
        refuses {
            try Functional.conv2d(
                images.to(FakeDevice.device),
                Tensor.ones([1, 1, 2, 2]),
                nil,
                stride: (1, 1),
                padding: (0, 0),
                groups: 1
            )
        }
    }

    @Test func `a number from the CPU is taken, and elements are read back`() throws {
        let there = try Tensor([1, 2, 3, 4], shape: [2, 2]).to(FakeDevice.device)
        #expect(there.device == FakeDevice.device)
        #expect("\(there.device)" == "privateuseone:0")
        #expect(try (there * Tensor.full(2, [])).floats() == [2, 4, 6, 8])
        let before = FakeDevice.readCount
        #expect(try there.sum().item() == 10)
        #expect(try there.transposed(0, 1).floats() == [1, 3, 2, 4])
        #expect(FakeDevice.readCount == before + 2)
        #expect(there.withMutableBytes { _ in true } == nil)
    }

    @Test func `memory is counted, and its lack is told apart`() async throws {
        let device = FakeDevice.device
        device.resetPeakMemory()
        let before = try #require(device.peakMemory)
        _ = try Tensor.zeros([1000], device: device)
        #expect(device.peakMemory == before + 4000)
        #expect(device.memory?.free ?? 0 > 0)
        await FakeDevice.withMemory(of: 1 << 20) {
            #expect(device.memory?.total == 1 << 20)
            let error = #expect(throws: TorchError.self) {
                _ = try Tensor.zeros([1 << 20], device: device)
            }
            #expect(error?.isOutOfMemory == true)
        }
        #expect(Device.cpu.memory == nil && Device.cpu.peakMemory == nil)
        let other = #expect(throws: TorchError.self) { _ = try Tensor.ones([2]) + Tensor.ones([3]) }
        #expect(other?.isOutOfMemory == false)
    }
}

/// Names of devices, and which there are.
@ModelActor @Suite struct DeviceNameTests {
    @Test func `names are read and written`() {
        #expect(Device("cuda") == .cuda(0) && Device("cuda:3") == .cuda(3))
        #expect(Device("cpu") == .cpu && Device("mps") == .mps)
        for name in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "cuda:0:1", "CUDA"] {
            #expect(Device(name) == nil, "\(name)")
            #expect(DeviceChoice(rawValue: name) == nil, "\(name)")
        }
        #expect(DeviceChoice(rawValue: "auto") == .automatic)
        for choice in [DeviceChoice.automatic, .device(.cuda(2)), .device(.mps), .device(.cpu)] {
            #expect(DeviceChoice(rawValue: choice.rawValue) == choice)
        }
    }

    @Test func `the CPU is always there, and comes last`() throws {
        #expect(Device.cpu.isAvailable && Device.cpu.reasonForAbsence == nil)
        #expect(Device.available.last == .cpu)
        #expect(try DeviceChoice.automatic.resolved() == Device.available[0])
        #expect(try DeviceChoice.device(FakeDevice.device).resolved() == FakeDevice.device)
        #expect(!Device.available.contains(FakeDevice.device))
    }

    @Test func `a device that is not there is one sentence`() throws {
        let error = #expect(throws: DeviceError.self) {
            try DeviceChoice.device(.cuda(120)).resolved()
        }
        let sentence = try #require(error?.description)
        #expect(sentence.hasPrefix("the device cuda:120 cannot be used: "))
        #expect(sentence.contains("--device") && !sentence.contains("\n"))
        #expect(throws: DeviceError.self) {
            try DeviceChoice.device(.privateUse(1)).resolved()
        }
    }

    @Test func `the policy of another device has libtorch's kernels`() throws {
        let policy = try ComputePolicy.automatic(dtype: .bfloat16, device: FakeDevice.device)
        #expect(policy == ComputePolicy(device: FakeDevice.device, dtype: .bfloat16))
        #expect(policy.linear == .libtorch && policy.encoder == .layers)
        #expect(try ComputePolicy.automatic(device: FakeDevice.device).dtype == .float32)
        #expect(throws: ConfigurationError.self) {
            try ComputePolicy.automatic(dtype: .float16)
        }
    }

    @Test func `autocast is switched on for the policy's device alone`() throws {
        let previous = ComputePolicy.current
        defer { ComputePolicy.current = previous }
        ComputePolicy.current = ComputePolicy(device: FakeDevice.device, dtype: .bfloat16)
        ComputePolicy.autocast {
            #expect(autocastDType(on: FakeDevice.device) == .bfloat16)
            #expect(!isAutocastEnabled(on: .cpu))
        }
        #expect(!isAutocastEnabled(on: FakeDevice.device))
    }
}
