import Testing

@testable import Evaluation

struct ColorMapTests {
    private func luminance(_ colour: SIMD3<UInt8>) -> Double {
        0.2126 * Double(colour.x) + 0.7152 * Double(colour.y) + 0.0722 * Double(colour.z)
    }

    @Test(arguments: ColorMap.allCases) func largerNumbersAreBrighter(map: ColorMap) {
        let colours = (0...255).map { luminance(map(Double($0) / 255)) }
        #expect(zip(colours, colours.dropFirst()).allSatisfy { $0 < $1 + 0.5 })
        #expect(colours[255] - colours[0] > 170)
    }

    @Test func theEndsAreTheTables() {
        #expect(ColorMap.viridis(0) == SIMD3(0x44, 0x01, 0x54))
        #expect(ColorMap.viridis(1) == SIMD3(0xFD, 0xE7, 0x25))
        #expect(ColorMap.inferno(1) == SIMD3(0xFC, 0xFF, 0xA4))
        // matplotlib's viridis(0.5): entry 128 of 256 is (33, 145, 140).
        let middle = ColorMap.viridis(128.0 / 255)
        #expect(
            abs(Int(middle.x) - 33) < 6 && abs(Int(middle.y) - 145) < 6
                && abs(Int(middle.z) - 140) < 6
        )
    }

    @Test func whatIsBeyondIsCutOff() {
        #expect(ColorMap.viridis(-1) == ColorMap.viridis(0))
        #expect(ColorMap.viridis(.infinity) == ColorMap.viridis(1))
        #expect(ColorMap.viridis(.nan) == ColorMap.viridis(0))
    }
}
