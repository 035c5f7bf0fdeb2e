import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Torch

/// Groups on loopback, each member on a thread of its own; gradient modes and errors of libtorch belong to threads too.
@Suite("Process groups", .tags(.unit))
struct ProcessGroupTests {
    /// Runs a closure in every member of a group.
    ///
    /// - Parameters:
    ///   - size: The number of members.
    ///   - timeout: How long members wait for one another.
    ///   - body: What a member does; the others must do the same.
    /// - Returns: What the members returned or threw, in their order.
    /// - Throws: Where there is no free port.
    private func members<R: Sendable>(
        _ size: Int,
        timeout: Duration = .seconds(20),
        _ body: @escaping @Sendable (ProcessGroup) throws -> R
    ) async throws -> [Result<R, any Error>] {
        let port = try Loopback.freePort()
        return await withTaskGroup(of: (Int, Result<R, any Error>).self) { tasks in
            for rank in 0..<size {
                tasks.addTask {
                    await withCheckedContinuation { continuation in
                        Thread.detachNewThread {
                            let result = Result {
                                let place = ProcessPlace(rank: rank, size: size, port: port)
                                return try body(ProcessGroup(place, timeout: timeout))
                            }
                            continuation.resume(returning: (rank, result))
                        }
                    }
                }
            }
            var all: [(Int, Result<R, any Error>)] = []
            for await one in tasks { all.append(one) }
            return all.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    @Test("Sums, texts and rows of all members", arguments: [2, 4])
    func smallValues(size: Int) async throws {
        let found = try await members(size) { group in
            let sums = try group.sum([1, Double(group.rank), 0.1])
            let texts = try group.gather(String(repeating: "é", count: group.rank))
            let first = try group.broadcast(group.isFirst ? "the first" : "another")
            let count = group.rank + 1
            let rows = try Tensor(
                (0..<(2 * count)).map { place -> Float in Float(10 * group.rank + place) },
                shape: [count, 2]
            )
            try group.barrier()
            return (sums, texts, first, try group.gather(rows: rows).floats())
        }
        var expected: [Float] = []
        for rank in 0..<size {
            for place in 0..<(2 * rank + 2) { expected.append(Float(10 * rank + place)) }
        }
        for result in found {
            let (sums, texts, first, rows) = try result.get()
            #expect(sums[0] == Double(size))
            #expect(sums[1] == Double(size * (size - 1) / 2))
            #expect(abs(sums[2] - 0.1 * Double(size)) < 1e-12)
            #expect(texts == (0..<size).map { String(repeating: "é", count: $0) })
            #expect(first == "the first")
            #expect(rows == expected)
        }
    }

    @Test("Tensors of the first member reach all, whatever their layout")
    func broadcast() async throws {
        let found = try await members(3) { group in
            let rank = Float(group.rank)
            let plain = try Tensor([rank, rank + 0.5], shape: [2])
            let turned = try Tensor((0..<6).map { Float($0) + 10 * rank }, shape: [2, 3])
                .transposed(0, 1)
            let whole = try Tensor([Int64(group.rank)], shape: [1])
            try group.broadcast([plain, turned, whole, Tensor.zeros([0])])
            return (try plain.floats(), try turned.floats(), try whole.int64s())
        }
        for result in found {
            let (plain, turned, whole) = try result.get()
            #expect(plain == [0, 0.5])
            #expect(turned == [0, 3, 1, 4, 2, 5])
            #expect(whole == [0])
        }
    }

    @Test(
        "Gradients become the weighted mean, and parameters without one keep none",
        arguments: [2, 4]
    )
    func gradients(size: Int) async throws {
        // More than a bucket, so that the layout counts.
        let large = 7 << 20
        let found = try await members(size) { group in
            let weight = Double(group.rank + 1)
            let a = try Tensor.ones([3])
            let b = try Tensor.ones([large])
            let unused = try Tensor.ones([5])
            for tensor in [a, b, unused] { try tensor.setRequiresGradient(true) }
            try (a * weight).sum().backward()
            try (b * (10 * weight)).sum().backward()
            let numbers = try Tensor([Float(weight), 0.25, Float(group.rank)], shape: [3])
            try group.averageGradients(of: [a, unused, b], numbers: numbers)
            let of = try (
                a.gradient()?.floats(), b.gradient()?.floats(), unused.gradient()?.floats()
            )
            return (of.0, of.1?.first, of.1?.last, of.2, try numbers.floats())
        }
        let weights = (1...size).map(Double.init)
        let total = weights.reduce(0, +)
        let mean = weights.reduce(0) { $0 + $1 * $1 } / total
        for result in found {
            let (a, first, last, unused, numbers) = try result.get()
            let values = try #require(a)
            #expect(values.count == 3 && values.allSatisfy { abs(Double($0) - mean) < 1e-6 * mean })
            #expect(abs(Double(try #require(first)) - 10 * mean) < 1e-5 * mean)
            #expect(first == last)
            #expect(unused == nil)
            #expect(numbers == [Float(total), 0.25 * Float(size), Float(size * (size - 1) / 2)])
        }
    }

    @Test("Sums round alike in all members and in every run")
    func bitEqual() async throws {
        func sums() async throws -> [[UInt32]] {
            try await members(4) { group in
                var seed = UInt32(group.rank + 1)
                let values = (0..<10_007).map { _ -> Float in
                    seed = seed &* 1_664_525 &+ 1_013_904_223
                    return Float(Int32(bitPattern: seed)) / 1e9
                }
                let tensor = try Tensor(values, shape: [values.count])
                try group.sum(tensor)
                return try tensor.floats().map(\.bitPattern)
            }.map { try $0.get() }
        }
        let (once, again) = (try await sums(), try await sums())
        #expect(once.allSatisfy { $0 == once[0] })
        #expect(once == again)
    }

    @Test("Members that differ are told in what")
    func agreement() async throws {
        let found = try await members(3) { group in
            try group.agree(on: [("the seed", "1"), ("the data", "a")])
            try group.agree(on: [("the seed", group.rank == 2 ? "7" : "1"), ("the data", "a")])
        }
        for result in found {
            let error = #expect(throws: ProcessGroupError.self) { try result.get() }
            #expect(error?.cause == .differs(rank: 2, differences: ["the seed (7, not 1)"]))
        }
    }

    @Test("A member that does not come is named")
    func absent() throws {
        let place = ProcessPlace(rank: 0, size: 3, port: try Loopback.freePort())
        let error = #expect(throws: ProcessGroupError.self) {
            try ProcessGroup(place, timeout: .milliseconds(300))
        }
        #expect(error?.cause == .notJoined([1, 2]))
        #expect(
            error?.description
                == "process 0 of 3: processes 1, 2 did not join within 0.3 s (--dist-timeout)"
        )
    }

    @Test("A member that ends with an error tells the others why")
    func leaving() async throws {
        let found = try await members(3) { group in
            group.step = 7
            if group.rank == 1 {
                group.leave(because: "the disk is full")
                return
            }
            _ = try group.sum([1])
        }
        #expect(throws: Never.self) { try found[1].get() }
        for rank in [0, 2] {
            let error = #expect(throws: ProcessGroupError.self) { try found[rank].get() }
            #expect(error?.cause == .failed(rank: 1, reason: "the disk is full"))
            #expect(error?.step == 7)
        }
    }

    @Test("A member that is late is named, with the step")
    func silent() async throws {
        let found = try await members(2, timeout: .seconds(1)) { group in
            group.step = 3
            if group.rank == 1 { Thread.sleep(forTimeInterval: 9) } else { _ = try group.sum([1]) }
        }
        let error = #expect(throws: ProcessGroupError.self) { try found[0].get() }
        #expect(error?.cause == .silent([1]))
        #expect(
            error?.description.hasPrefix(
                "process 0 of 2, step 3: process 1 did not answer within 1 s"
            )
                == true
        )
    }
}

/// The variables of launchers.
@Suite("Places of processes", .tags(.unit))
struct ProcessPlaceTests {
    @Test("torchrun's variables")
    func torchrun() throws {
        let place = try ProcessPlace.read([
            "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2",
            "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "1234",
            "TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_RESTART_COUNT": "2",
        ])
        #expect(
            place
                == ProcessPlace(
                    rank: 3,
                    size: 4,
                    localRank: 1,
                    localSize: 2,
                    address: "10.0.0.1",
                    port: 1234,
                    isStoreOfLauncher: true,
                    restarts: 2
                )
        )
    }

    @Test("Slurm's variables, but not those of a batch script")
    func slurm() throws {
        var variables = [
            "SLURM_PROCID": "5", "SLURM_LOCALID": "1", "SLURM_JOB_ID": "123456",
            "SLURM_NTASKS": "8", "SLURM_STEP_NODELIST": "gpu[07-08,11],cpu1",
        ]
        #expect(try ProcessPlace.read(variables) == nil)
        variables["SLURM_STEP_NUM_TASKS"] = "8"
        #expect(
            try ProcessPlace.read(variables)
                == ProcessPlace(rank: 5, size: 8, localRank: 1, address: "gpu07", port: 23_456)
        )
        #expect(ProcessPlace.firstHost("node3") == "node3")
        #expect(ProcessPlace.firstHost("a,b[1-2]") == "a")
        #expect(ProcessPlace.firstHost("") == nil)
    }

    @Test("A process alone has no place")
    func alone() throws {
        #expect(try ProcessPlace.read([:]) == nil)
        #expect(try ProcessPlace.read(["RANK": "0", "WORLD_SIZE": "1"]) == nil)
    }

    @Test(
        "Variables that contradict one another are refused",
        arguments: [
            (["RANK": "1"], "RANK is set without WORLD_SIZE"),
            (["RANK": "4", "WORLD_SIZE": "4", "MASTER_ADDR": "a"], "the rank 4 is not one of 4"),
            (["RANK": "x", "WORLD_SIZE": "4"], "RANK is \"x\", which is not a number"),
            (["RANK": "1", "WORLD_SIZE": "4"], "MASTER_ADDR is not set"),
            (
                ["RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "a", "MASTER_PORT": "99999"],
                "which is not a port"
            ),
        ]
    )
    func refused(variables: [String: String], reason: String) {
        let error = #expect(throws: ProcessGroupError.self) { try ProcessPlace.read(variables) }
        #expect(error?.description.contains(reason) == true)
    }
}
