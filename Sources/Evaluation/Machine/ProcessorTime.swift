import Foundation

/// The work that all processors of this machine have done up to a moment.
///
/// Two of them tell how much of a measurement's time others used, which is what makes it worthless: a load average is a
/// minute late, and a process that waits for its own threads looks the same as one that was not let run.
public struct ProcessorTime: Sendable, Equatable {
    /// Seconds of work of all processes, all processors together.
    public var busy: Double

    /// Seconds that other virtual machines took.
    public var stolen: Double

    /// Seconds of work, idleness and what was stolen.
    public var total: Double

    /// The work up to now; nil where the system does not tell.
    public static var now: ProcessorTime? {
        #if os(Linux)
        guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8) else {
            return nil
        }
        return ProcessorTime(stat: text, ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))))
        #else
        return nil
        #endif
    }

    /// Reads Linux's counters: `cpu`, then user, nice, system, idle, iowait, irq, softirq and steal in ticks.
    init?(stat text: String, ticksPerSecond: Double) {
        guard let line = text.split(separator: "\n").first, line.hasPrefix("cpu ") else {
            return nil
        }
        let ticks = line.split(separator: " ").dropFirst().compactMap { Double($0) }
        guard ticks.count >= 8, ticksPerSecond > 0 else { return nil }
        let seconds = ticks.prefix(8).map { $0 / ticksPerSecond }
        total = seconds.reduce(0, +)
        stolen = seconds[7]
        busy = total - stolen - seconds[3] - seconds[4]
    }

    /// The share of the processors, 0 to 1, that others had since an earlier moment.
    ///
    /// - Parameters:
    ///   - start: The earlier moment.
    ///   - own: Seconds of the work since then that was not others'.
    /// - Returns: The share; 0 where no time has passed.
    public func share(ofOthersSince start: ProcessorTime, own: Double) -> Double {
        let elapsed = total - start.total
        guard elapsed > 0 else { return 0 }
        let others = busy - start.busy - own + stolen - start.stolen
        return min(max(others / elapsed, 0), 1)
    }
}

/// The mean number of processes that wanted a processor in the last minute; nil where the system does not tell.
public func loadAverage() -> Double? {
    var load = [0.0]
    return getloadavg(&load, 1) == 1 ? load[0] : nil
}
