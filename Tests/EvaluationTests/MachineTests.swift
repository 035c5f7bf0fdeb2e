import Testing
import Torch

@testable import Evaluation

/// What a benchmark says of the machine, and how it notices other load.
@Suite struct MachineTests {
    @Test func `The features of a processor are those that matter to products`() {
        let text = """
            processor\t: 0
            model name\t: AMD EPYC 9R14: a name
            flags\t\t: fpu sse2 avx2 fma avx512_bf16 avx512f rdpid avx512_vnni avx512_vnnix

            processor\t: 1
            model name\t: another
            flags\t\t: amx_bf16
            """
        let processor = Processor(cpuInfo: text, cores: 2)
        #expect(processor.name == "AMD EPYC 9R14: a name")
        #expect(processor.features == ["avx2", "avx512f", "avx512_vnni", "avx512_bf16"])
        let arm = Processor(cpuInfo: "Features\t: fp asimd asimddp bf16\n", cores: 4)
        #expect(arm.name.isEmpty && arm.features == ["asimd", "asimddp", "bf16"])
        #expect(Processor(cpuInfo: "", cores: 1).features.isEmpty)
    }

    // Two processors for ten seconds, in ticks of 10 ms: user, nice, system, idle, iowait, irq, softirq, steal, guest.
    @Test(arguments: [
        (own: 12.0, others: 0.0), (own: 9.0, others: 0.15), (own: 0.0, others: 0.6),
        (own: 30.0, others: 0.0),
    ])
    func `Others have what was busy and not one's own`(
        _ example: (own: Double, others: Double)
    )
        throws
    {
        let start = try #require(
            ProcessorTime(stat: "cpu  500 20 100 900 80 0 0 7 3\ncpu0 1 2", ticksPerSecond: 100)
        )
        let end = try #require(
            ProcessorTime(
                stat: "cpu  1500 120 190 1600 180 5 5 7 3\ncpu0 1 2",
                ticksPerSecond: 100
            )
        )
        #expect(abs(end.busy - start.busy - 12) < 1e-9)
        let share = end.share(ofOthersSince: start, own: example.own)
        #expect(abs(share - example.others) < 1e-9)
        #expect(end.share(ofOthersSince: end, own: 0) == 0)
    }

    @Test func `What another virtual machine took is others'`() throws {
        let start = try #require(
            ProcessorTime(stat: "cpu  0 0 0 0 0 0 0 0 0", ticksPerSecond: 100)
        )
        let end = try #require(
            ProcessorTime(stat: "cpu  500 0 0 250 0 0 0 250 0", ticksPerSecond: 100)
        )
        #expect(abs(end.share(ofOthersSince: start, own: 5) - 0.25) < 1e-9)
        for text in ["", "cpu0 1 2 3 4 5 6 7 8", "cpu  1 2 3"] {
            #expect(ProcessorTime(stat: text, ticksPerSecond: 100) == nil)
        }
    }

    @Test @ModelActor func `The limit of products is measured in every type that there is`() throws
    {
        let limit = try ProductLimit.measure(seconds: 0)
        #expect((limit != nil) == Libtorch.hasOneDNN)
        guard let limit else { return }
        #expect(limit.float32 > 0 && limit.float32.isFinite)
        #expect((limit.bfloat16 ?? 0 > 0) == Libtorch.hasFastBFloat16)
        #expect(limit.threads == Libtorch.threadCount)
    }
}
