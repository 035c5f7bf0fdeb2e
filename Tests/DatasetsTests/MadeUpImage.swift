import Foundation

/// Smooth images that a seed tells apart, in any size and brightness.
enum MadeUpImage {
    /// The samples of a square grey image.
    static func samples(
        _ seed: Int,
        side: Int = 72,
        brighter: Double = 0,
        contrast: Double = 1
    ) -> [UInt8] {
        let waves = (0..<24).map { wave -> (x: Double, y: Double, phase: Double, height: Double) in
            func draw(_ salt: Int) -> Double {
                let mixed = UInt64(seed &* 1000 &+ wave &* 10 &+ salt) &* 0x9E37_79B9_7F4A_7C15
                let better = (mixed ^ (mixed >> 29)) &* 0xBF58_476D_1CE4_E5B9
                return Double(better >> 11) * 0x1p-53
            }
            return (draw(1) * 24 - 12, draw(2) * 24, draw(3) * 6.3, 3 + 9 * draw(4))
        }
        return (0..<(side * side)).map { place -> UInt8 in
            let x = (Double(place % side) + 0.5) / Double(side)
            let y = (Double(place / side) + 0.5) / Double(side)
            var value = 0.0
            for wave in waves {
                value += wave.height * sin(wave.x * x + wave.y * y + wave.phase)
            }
            return UInt8(min(255, max(0, 128 + brighter + contrast * value)))
        }
    }

    /// A PNG file of such an image.
    static func png(
        _ seed: Int,
        side: Int = 72,
        brighter: Double = 0,
        contrast: Double = 1,
        orientation: UInt8 = 1
    ) -> Data {
        TinyPNG.data(
            height: side,
            width: side,
            samples: samples(seed, side: side, brighter: brighter, contrast: contrast),
            orientation: orientation
        )
    }
}
