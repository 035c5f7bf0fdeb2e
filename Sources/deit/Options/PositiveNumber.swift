import ArgumentParser

extension ValidationError {
    /// Makes sure that a number which was given is above 0 and finite.
    static func requirePositive(_ value: Double?, _ flag: String) throws {
        guard let value, !(value > 0 && value.isFinite) else { return }
        throw ValidationError("\(flag) must be a number above 0, not \(value)")
    }
}
