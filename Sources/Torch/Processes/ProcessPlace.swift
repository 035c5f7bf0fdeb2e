/// A process's place among those that train together, as launchers tell it in environment variables.
///
/// `torchrun`, Kubernetes' PyTorchJob and scripts set `RANK`, `WORLD_SIZE`, `LOCAL_RANK`, `MASTER_ADDR` and `MASTER_PORT`.
/// `srun` sets variables of its own: the processes of a step are then counted by `SLURM_PROCID`, and process 0's machine is
/// the first of `SLURM_STEP_NODELIST`.
public struct ProcessPlace: Sendable, Equatable {
    /// The number of this process, from 0.
    public var rank: Int
    /// The number of processes, at least 2.
    public var size: Int
    /// The number of this process among those of its machine, from 0.
    public var localRank: Int
    /// The number of processes on this machine; nil where the launcher does not say.
    public var localSize: Int?
    /// The machine of process 0.
    public var address: String
    /// The port there at which processes meet.
    public var port: Int
    /// Whether the launcher keeps the store at that port, as torchrun's agent does.
    public var isStoreOfLauncher: Bool
    /// How often the launcher started the processes again.
    public var restarts: Int

    /// Creates a place.
    ///
    /// - Parameters:
    ///   - rank: The number of this process, from 0.
    ///   - size: The number of processes.
    ///   - localRank: The number of this process among those of its machine.
    ///   - localSize: The number of processes on this machine.
    ///   - address: The machine of process 0.
    ///   - port: The port there at which processes meet.
    ///   - isStoreOfLauncher: Whether the launcher keeps the store at that port.
    ///   - restarts: How often the launcher started the processes again.
    public init(
        rank: Int,
        size: Int,
        localRank: Int = 0,
        localSize: Int? = nil,
        address: String = "127.0.0.1",
        port: Int = 29_500,
        isStoreOfLauncher: Bool = false,
        restarts: Int = 0
    ) {
        self.rank = rank
        self.size = size
        self.localRank = localRank
        self.localSize = localSize
        self.address = address
        self.port = port
        self.isStoreOfLauncher = isStoreOfLauncher
        self.restarts = restarts
    }

    /// Reads the place from environment variables.
    ///
    /// - Parameter environment: The variables.
    /// - Throws: ``ProcessGroupError`` where they are incomplete or contradict one another.
    /// - Returns: The place; nil where a process is alone.
    public static func read(
        _ environment: [String: String]
    ) throws(ProcessGroupError) -> ProcessPlace? {
        let values = Variables(environment)
        if let rank = try values.number("RANK"), let size = try values.number("WORLD_SIZE") {
            guard size > 1 else { return nil }
            return try ProcessPlace(
                rank: rank,
                size: size,
                localRank: values.number("LOCAL_RANK") ?? rank,
                localSize: values.number("LOCAL_WORLD_SIZE"),
                address: values.needed("MASTER_ADDR"),
                port: values.number("MASTER_PORT") ?? 29_500,
                isStoreOfLauncher: environment["TORCHELASTIC_USE_AGENT_STORE"] == "True",
                restarts: values.number("TORCHELASTIC_RESTART_COUNT") ?? 0
            ).checked()
        }
        if values["RANK"] != nil { throw .environment("RANK is set without WORLD_SIZE") }
        // One process alone needs no number.
        if let size = values["WORLD_SIZE"], size != "1" {
            throw .environment("WORLD_SIZE is set without RANK")
        }
        return try slurm(values)
    }

    /// The place in a step of Slurm's; a batch script is itself in no step.
    private static func slurm(_ values: Variables) throws(ProcessGroupError) -> ProcessPlace? {
        guard let size = try values.number("SLURM_STEP_NUM_TASKS"), size > 1,
            let rank = try values.number("SLURM_PROCID")
        else { return nil }
        let job = try values.number("SLURM_JOB_ID") ?? 0
        let first = values["SLURM_STEP_NODELIST"].flatMap(firstHost)
        let address =
            if let known = values["MASTER_ADDR"] ?? first { known } else {
                try values.needed("MASTER_ADDR")
            }
        return try ProcessPlace(
            rank: rank,
            size: size,
            localRank: values.number("SLURM_LOCALID") ?? 0,
            address: address,
            // Jobs of one machine must not meet at one port.
            port: values.number("MASTER_PORT") ?? 20_000 + job % 10_000,
            restarts: values.number("SLURM_RESTART_COUNT") ?? 0
        ).checked()
    }

    /// The first machine of Slurm's notation: `node[03-05,09],other` begins with `node03`.
    static func firstHost(_ list: String) -> String? {
        let start = list.prefix { $0 != "[" && $0 != "," }
        guard list.dropFirst(start.count).first == "[" else {
            return start.isEmpty ? nil : String(start)
        }
        let number = list.dropFirst(start.count + 1).prefix { $0.isASCII && $0.isNumber }
        return number.isEmpty ? nil : String(start + number)
    }

    private func checked() throws(ProcessGroupError) -> ProcessPlace {
        guard (0..<size).contains(rank) else {
            throw .environment("the rank \(rank) is not one of \(size) processes from 0")
        }
        guard (1...65_535).contains(port) else {
            throw .environment("MASTER_PORT is \(port), which is not a port")
        }
        return self
    }

    private struct Variables {
        let environment: [String: String]

        init(_ environment: [String: String]) { self.environment = environment }

        subscript(name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

        func number(_ name: String) throws(ProcessGroupError) -> Int? {
            guard let text = self[name] else { return nil }
            guard let number = Int(text), number >= 0 else {
                throw .environment("\(name) is \"\(text)\", which is not a number")
            }
            return number
        }

        func needed(_ name: String) throws(ProcessGroupError) -> String {
            guard let text = self[name] else { throw .environment("\(name) is not set") }
            return text
        }
    }
}
