import Foundation
public import Testing

extension Trait where Self == ConditionTrait {
    /// Skips the test, and says why, where the real data beside the checkout is absent.
    ///
    /// - Parameter files: Paths below the shared folder that the test reads.
    /// - Returns: The trait.
    public static func needsShared(_ files: String...) -> Self {
        let missing = files.filter { Checkout.sharedFile($0) == nil }
        return enabled(
            if: missing.isEmpty,
            "needs \(missing.joined(separator: ", ")) in ../shared beside the checkout, or in DEIT_SHARED"
        )
    }

    /// Skips the test, and says why, where a program is not on the path.
    ///
    /// - Parameter program: The program's name.
    /// - Returns: The trait.
    public static func needsProgram(_ program: String) -> Self {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let found = folders.contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
        }
        return enabled(if: found, "needs the program `\(program)`")
    }
}

extension Tag {
    /// A test of one part alone.
    @Tag public static var unit: Self

    /// A test against numbers of a reference implementation.
    @Tag public static var parity: Self

    /// A test of the built command.
    @Tag public static var endToEnd: Self
}
