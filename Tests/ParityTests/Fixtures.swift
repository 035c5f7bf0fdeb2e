import Foundation
import TestSupport

/// The folder of this target's fixtures.
let fixtures = Checkout.root.appending(path: "Tests/ParityTests/Fixtures")

/// The fixture file of a case.
func fixture(_ name: String, _ file: String = "expected.safetensors") throws -> Fixture {
    try Fixture(fixtures.appending(path: name).appending(path: file))
}
