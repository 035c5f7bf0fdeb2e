internal import CTorch
import Foundation
import Synchronization

/// Processes that compute together, each with a part of the images.
///
/// The collective operations (``sum(_:)->()``, ``broadcast(_:)-([Tensor])``, ``gather(_:)-(Tensor)``,
/// ``averageGradients(of:numbers:)``, ``barrier()``) must be called by all processes in one order, with tensors of the same
/// shapes and types: Gloo ends a process that receives more than it expects. Each waits for all others, at most as long as
/// ``timeout``. The first failure breaks the group, and names the processes that are missing.
///
/// Connections have no authentication and no encryption: they are for the network of a machine or a cluster.
///
/// ## Source
/// libtorch's c10d, `TCPStore` and `ProcessGroupGloo`. Tensors of other devices travel through the processor's memory.
public final class ProcessGroup: @unchecked Sendable {
    /// The gradients that travel as one tensor, in bytes; PyTorch's `DistributedDataParallel` takes as many.
    private static let bucketBytes: Int64 = 25 << 20

    /// This process's place.
    public let place: ProcessPlace
    /// How long processes wait for one another.
    public let timeout: Duration

    private let store: GroupStore
    private let state = Mutex(State())

    private struct State {
        var step: Int?
        var failure: ProcessGroupError?
    }

    /// The number of this process, from 0.
    public var rank: Int { place.rank }
    /// The number of processes.
    public var size: Int { place.size }
    /// Whether this is process 0, which writes and prints.
    public var isFirst: Bool { rank == 0 }

    /// The training step at hand, counted from 1, which errors name.
    public var step: Int? {
        get { state.withLock { $0.step } }
        set { state.withLock { $0.step = newValue } }
    }

    /// Joins the other processes, and waits until all are there.
    ///
    /// - Parameters:
    ///   - place: This process's place.
    ///   - timeout: How long processes wait for one another, here and in every operation.
    /// - Throws: ``ProcessGroupError`` where process 0 cannot be reached or others do not come.
    public init(_ place: ProcessPlace, timeout: Duration) throws(ProcessGroupError) {
        self.place = place
        self.timeout = timeout
        let seconds = Self.seconds(timeout)
        func failure(_ cause: ProcessGroupError.Cause) -> ProcessGroupError {
            ProcessGroupError(rank: place.rank, size: place.size, timeout: seconds, cause)
        }
        var handle: ct_group?
        let milliseconds = Int64((seconds * 1000).rounded(.up))
        let status = ct_group_connect(
            place.address,
            Int32(clamping: place.port),
            place.rank == 0 && !place.isStoreOfLauncher,
            // Processes that a launcher starts again meet at the same store, which has the keys of those before.
            "deit/\(place.restarts)/",
            Int32(clamping: place.rank),
            Int32(clamping: place.size),
            milliseconds,
            &handle
        )
        guard status == 0, let handle else {
            throw failure(
                .unreachable(
                    address: place.address,
                    port: place.port,
                    reason: Self.firstSentence(TorchError.last("join").message)
                )
            )
        }
        let store = GroupStore(handle: handle)
        self.store = store
        let absent: [Int]
        do throws(TorchError) {
            try store.set("joined/\(place.rank)")
            absent = try Self.wait(for: place, in: store, atMost: timeout)
            if absent.isEmpty { try guarded("join") { ct_group_join(handle) } }
        } catch {
            throw failure(.other("the processes cannot be connected: \(error.message)"))
        }
        guard absent.isEmpty else { throw failure(.notJoined(absent)) }
    }

    /// The processes that are not there when the time is over.
    private static func wait(
        for place: ProcessPlace,
        in store: GroupStore,
        atMost timeout: Duration
    ) throws(TorchError) -> [Int] {
        let end = ContinuousClock.now + timeout
        var absent = Array(0..<place.size)
        while true {
            var rest: [Int] = []
            for rank in absent where try store.text("joined/\(rank)") == nil { rest.append(rank) }
            absent = rest
            guard !absent.isEmpty, ContinuousClock.now < end else { return absent }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    deinit {
        // Threads may still be inside a connection that failed; it ends with the process.
        if state.withLock({ $0.failure != nil }) { _ = Unmanaged.passRetained(store) }
    }

    // MARK: - Operations

    /// Adds up numbers over all processes.
    ///
    /// - Parameter values: As many numbers as the other processes have.
    /// - Returns: The sums, the same to the bit in all processes.
    /// - Throws: ``ProcessGroupError``.
    public func sum(_ values: [Double]) throws(ProcessGroupError) -> [Double] {
        guard !values.isEmpty else { return [] }
        let tensor = try local { () throws(TorchError) in
            try Tensor(elements: values, dtype: .float64, shape: [values.count])
        }
        try sum(tensor)
        return try local { () throws(TorchError) in try tensor.doubles() }
    }

    /// Adds up a tensor over all processes, in place.
    public func sum(_ tensor: Tensor) throws(ProcessGroupError) {
        try collective { ct_group_sum_($0, tensor.handle) }
    }

    /// Waits until all processes are here.
    public func barrier() throws(ProcessGroupError) { _ = try sum([0]) }

    /// Overwrites tensors with those of process 0.
    public func broadcast(_ tensors: [Tensor]) throws(ProcessGroupError) {
        guard !tensors.isEmpty else { return }
        try collective { group in
            withHandles(tensors) { tensors, count in
                tensors.map { ct_group_broadcast_(group, $0, count) } ?? 1
            }
        }
    }

    /// Returns the text of process 0.
    ///
    /// - Parameter text: The text; what other processes give does not count.
    /// - Returns: The text of process 0.
    /// - Throws: ``ProcessGroupError``.
    public func broadcast(_ text: String) throws(ProcessGroupError) -> String {
        try gather(isFirst ? text : "")[0]
    }

    /// Returns the tensors of all processes, `[size, …]`.
    ///
    /// - Parameter tensor: A tensor of the same shape and type as the others'.
    /// - Returns: The tensors, in the order of the processes.
    /// - Throws: ``ProcessGroupError``.
    public func gather(_ tensor: Tensor) throws(ProcessGroupError) -> Tensor {
        var handle: ct_tensor?
        try collective { ct_group_gather($0, tensor.handle, &handle) }
        guard let handle else { throw failure(.other("gather: there is no result")) }
        return Tensor(owning: handle)
    }

    /// Returns the texts of all processes, in their order.
    public func gather(_ text: String) throws(ProcessGroupError) -> [String] {
        let own = Array(text.utf8)
        let counts = try local { () throws(TorchError) in
            try Tensor([Int64(own.count)], shape: [1])
        }
        let all = try gather(counts)
        let lengths = try local { () throws(TorchError) in try all.int64s().map(Int.init) }
        let longest = lengths.max() ?? 0
        guard longest > 0 else { return lengths.map { _ in "" } }
        let padded = own + [UInt8](repeating: 0, count: longest - own.count)
        let bytes = try local { () throws(TorchError) in
            try Tensor(elements: padded, dtype: .uint8, shape: [longest])
        }
        let rows = try gather(bytes)
        let found: [UInt8] = try local { () throws(TorchError) in try rows.elements(of: .uint8) }
        return lengths.enumerated().map { rank, length in
            String(decoding: found[(rank * longest)..<(rank * longest + length)], as: UTF8.self)
        }
    }

    /// Returns rows of all processes one after the other, `[rows of all, …]`; their numbers may differ.
    ///
    /// - Parameter rows: `[rows, …]`, of the same type and the same other sizes as the others'.
    /// - Returns: The rows in the order of the processes.
    /// - Throws: ``ProcessGroupError``.
    public func gather(rows: Tensor) throws(ProcessGroupError) -> Tensor {
        let shape = rows.shape
        let counts = try gather(
            local { () throws(TorchError) in try Tensor([Int64(shape[0])], shape: [1]) }
        )
        let lengths = try local { () throws(TorchError) in try counts.int64s().map(Int.init) }
        let longest = lengths.max() ?? 0
        let padded = try local { () throws(TorchError) in
            guard shape[0] < longest else { return rows }
            let rest = try Tensor.zeros(
                [longest - shape[0]] + shape.dropFirst(),
                dtype: rows.dtype,
                device: rows.device
            )
            return try Tensor.cat([rows, rest], dim: 0)
        }
        let all = try gather(padded)
        return try local { () throws(TorchError) in
            try Tensor.cat(
                lengths.enumerated().map { (rank, length) throws(TorchError) in
                    try all.selected(0, rank).narrowed(0, 0..<length)
                },
                dim: 0
            )
        }
    }

    /// Replaces gradients by their weighted mean over all processes.
    ///
    /// A parameter without a gradient keeps none. Gradients travel in buckets whose layout follows from the parameters alone,
    /// so the means are the same to the bit in all processes, and from run to run.
    ///
    /// - Parameters:
    ///   - parameters: All parameters that may have gradients, in the order of the other processes.
    ///   - numbers: Numbers that travel along, `[count]` of `float32`, of which this overwrites the tensor with the sums. The
    ///     first is the weight of this process.
    /// - Throws: ``ProcessGroupError``.
    public func averageGradients(
        of parameters: [Tensor],
        numbers: Tensor
    ) throws(ProcessGroupError) {
        try collective { group in
            withHandles(parameters) { parameters, count in
                parameters.map {
                    ct_group_average_gradients(
                        group,
                        $0,
                        count,
                        Self.bucketBytes,
                        numbers.handle
                    )
                } ?? 1
            }
        }
    }

    /// Makes sure that all processes have the same facts.
    ///
    /// - Parameter facts: Facts by name, in any number.
    /// - Throws: ``ProcessGroupError`` with the cause ``ProcessGroupError/Cause/differs(rank:differences:)`` in all processes,
    ///   which names the first process that differs from process 0 and all facts in which it does.
    public func agree(on facts: [(name: String, value: String)]) throws(ProcessGroupError) {
        let separator = "\u{1F}"
        let lines = facts.map { $0.name + separator + $0.value }
        let all = try gather(lines.joined(separator: "\u{1E}")).map { text in
            text.split(separator: "\u{1E}").map { line in
                line.split(separator: "\u{1F}", maxSplits: 1, omittingEmptySubsequences: false)
                    .map(String.init)
            }
        }
        for rank in 1..<size where all[rank] != all[0] {
            throw failure(.differs(rank: rank, differences: Self.differences(all[rank], all[0])))
        }
    }

    private static func differences(_ found: [[String]], _ first: [[String]]) -> [String] {
        func values(_ facts: [[String]]) -> [String: String] {
            Dictionary(facts.map { ($0[0], $0.last ?? "") }, uniquingKeysWith: { one, _ in one })
        }
        let (found, first) = (values(found), values(first))
        return Set(found.keys).union(first.keys).sorted().compactMap { name in
            guard found[name] != first[name] else { return nil }
            let (one, other) = (found[name] ?? "absent", first[name] ?? "absent")
            // Fingerprints and lists say nothing to a person.
            return one.count + other.count > 120 ? name : "\(name) (\(one), not \(other))"
        }
    }

    /// Closes the connections to the other processes, after the last operation.
    public func close() { _ = ct_group_leave(store.handle) }

    // MARK: - Failures

    /// Ends the membership because of an error of this process's own, which the others then report.
    ///
    /// - Parameter reason: The error in a sentence.
    public func leave(because reason: String) {
        guard state.withLock({ $0.failure == nil }) else { return }
        let (store, rank, size) = (store, rank, size)
        let failure = failure(.failed(rank: rank, reason: reason))
        state.withLock { $0.failure = failure }
        _ = GroupStore.within(RollCall.patience + .seconds(1)) { (_: (Bool) -> Void) in
            try? store.set(RollCall.reasonKey(rank), to: reason)
            _ = ct_group_leave(store.handle)
            // The store of process 0 ends with it: the others are to read the reason before.
            let end = ContinuousClock.now + RollCall.patience
            while ContinuousClock.now < end {
                let answered = (0..<size).filter { other in
                    other != rank && (try? store.text(RollCall.aliveKey(other))) != nil
                }
                if answered.count == size - 1 { break }
                Thread.sleep(forTimeInterval: 0.05)
            }
        }
    }

    private func collective(
        _ body: (ct_group) -> Int32
    ) throws(ProcessGroupError) {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        guard body(store.handle) != 0 else { return }
        let error = diagnosed(TorchError.last("exchange").message)
        state.withLock { $0.failure = error }
        throw error
    }

    /// Finds out who is missing.
    private func diagnosed(_ message: String) -> ProcessGroupError {
        let store = store
        // A deadlock in there must not keep this process.
        _ = GroupStore.within(.seconds(2)) { (_: (Bool) -> Void) in
            _ = ct_group_leave(store.handle)
        }
        let call = RollCall(
            store: store,
            rank: rank,
            size: size,
            isStoreOfFirst: !place.isStoreOfLauncher
        )
        let answers = call.run()
        if let (rank, reason) = answers.reasons.min(by: { $0.key < $1.key }) {
            return failure(.failed(rank: rank, reason: reason))
        }
        let missing = call.missing(answers)
        guard !missing.isEmpty else { return failure(.other(Self.firstSentence(message))) }
        let hasTimedOut =
            message.localizedCaseInsensitiveContains("timed out")
            || message.localizedCaseInsensitiveContains("timeout")
        return failure(hasTimedOut ? .silent(missing) : .ended(missing))
    }

    /// Runs what concerns this process alone.
    private func local<R>(_ body: () throws(TorchError) -> R) throws(ProcessGroupError) -> R {
        do throws(TorchError) {
            return try body()
        } catch {
            throw failure(.other(error.description))
        }
    }

    private func failure(_ cause: ProcessGroupError.Cause) -> ProcessGroupError {
        ProcessGroupError(
            rank: rank,
            size: size,
            step: step,
            timeout: Self.seconds(timeout),
            cause
        )
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }

    /// c10d's messages go on with addresses of functions.
    private static func firstSentence(_ message: String) -> String {
        String(message.prefix { $0 != "\n" })
    }
}
