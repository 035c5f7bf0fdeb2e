/// What the names that trainers give to a network and its copies say.
package enum NetworkNames {
    /// Words for copies of a network that follow another one.
    private static let copies: Set<String> = [
        "momentum", "ema", "teacher", "target", "key", "k", "averaged", "avg", "swa", "shadow",
        "slow", "frozen", "reference", "ref", "old",
    ]

    /// Whether a name such as `momentum_backbone` or `model_ema` says that it is a copy that follows another network.
    package static func isCopy(_ name: some StringProtocol) -> Bool {
        !copies.isDisjoint(with: words(name))
    }

    /// The words of a name, in small letters.
    package static func words(_ name: some StringProtocol) -> Set<String> {
        Set(name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init))
    }
}
