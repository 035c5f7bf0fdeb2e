/// How far a study is, and how long the rest will take.
public struct StudyPace: Sendable {
    private let work: [Double]
    private var left: [Double]
    private var done = 0.0

    /// - Parameter work: The work of each run, in any unit; 0 or less for one that needs none.
    public init(work: [Double]) {
        self.work = work.map { max($0, 0) }
        left = self.work
    }

    /// Takes note that a share of a run is done already, before the clock runs.
    public mutating func skip(_ run: Int, share: Double) {
        left[run] = work[run] * (1 - min(max(share, 0), 1))
    }

    /// Takes note of a run's end, whatever it ended with.
    public mutating func finish(_ run: Int) {
        done += left[run]
        left[run] = 0
    }

    /// The seconds that are left.
    ///
    /// - Parameters:
    ///   - seconds: The seconds so far.
    ///   - run: The run at hand.
    ///   - share: The share of the run that is done, 0 to 1.
    /// - Returns: The seconds; nil where nothing is known yet.
    public func secondsLeft(after seconds: Double, run: Int, share: Double) -> Double? {
        let before = work[run] - left[run]
        let here = min(max(work[run] * share - before, 0), left[run])
        let sum = done + here
        guard sum > 0, seconds > 0 else { return nil }
        return (left.reduce(0, +) - here) * seconds / sum
    }
}
