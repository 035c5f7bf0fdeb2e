/// How often, and after which pauses, a request that failed is tried again.
public struct HubRetryPolicy: Sendable, Equatable {
    /// How many attempts in a row may bring nothing new.
    public var attempts = 5

    /// How many attempts one file may take in all, however much each of them brings.
    public var attemptsInAll = 100

    /// The pause after the first failure; each further one doubles it.
    public var firstPause: Duration = .milliseconds(500)

    /// The longest pause between two attempts, unless the server asks for more.
    public var longestPause: Duration = .seconds(16)

    /// The longest pause that a server may ask for (`Retry-After`); one that asks for more counts as failing.
    public var longestWait: Duration = .seconds(120)

    /// Creates the policy that suits the hub.
    public init() {}
}

/// The attempts at one request.
struct HubAttempts {
    private let policy: HubRetryPolicy
    private let pause: @Sendable (Duration) async throws -> Void
    private let report: @Sendable (HubEvent) -> Void
    private let what: String
    private var fruitless = 0
    private var count = 0

    init(
        at what: String,
        _ policy: HubRetryPolicy,
        pause: @escaping @Sendable (Duration) async throws -> Void,
        report: @escaping @Sendable (HubEvent) -> Void
    ) {
        self.what = what
        self.policy = policy
        self.pause = pause
        self.report = report
    }

    /// Waits until another attempt may be made, or throws when none may.
    mutating func wait(
        after trouble: HubTrouble,
        wasFruitful: Bool = false
    ) async throws(HubError) {
        guard !Task.isCancelled else { throw HubError.cancelled }
        let (reason, wanted): (String, Duration?)
        switch trouble {
        case .final(let error): throw error
        case .passing(let text, let wait): (reason, wanted) = (text, wait)
        }
        count += 1
        fruitless = wasFruitful ? 1 : fruitless + 1
        if let wanted, wanted > policy.longestWait {
            throw HubError.unreachable(
                what: what,
                reason: "\(reason), and the Hub asks to wait \(wanted.components.seconds) s; "
                    + "try again later"
            )
        }
        guard fruitless < policy.attempts, count < policy.attemptsInAll else {
            throw HubError.unreachable(
                what: what,
                reason: "\(reason), after \(count) attempt\(count == 1 ? "" : "s")"
            )
        }
        let doublings = min(fruitless - 1, 20)
        let usual = min(policy.firstPause * (1 << doublings), policy.longestPause)
        let length = max(usual, wanted ?? .zero)
        report(.retrying(what: what, reason: reason, pause: length))
        do { try await pause(length) } catch { throw HubError.cancelled }
    }
}
