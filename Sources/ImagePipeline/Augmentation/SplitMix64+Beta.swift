import Foundation

extension SplitMix64 {
    /// Returns a number of the beta distribution with both parameters equal.
    ///
    /// - Parameter alpha: Both parameters, above 0.
    /// - Returns: The number, from 0 to 1.
    mutating func beta(_ alpha: Double) -> Double {
        guard alpha <= 1 else {
            let (x, y) = (gamma(alpha), gamma(alpha))
            return x / (x + y)
        }
        // Jöhnk's method, in logarithms where the powers vanish.
        while true {
            let (u, v) = (1 - uniform(), 1 - uniform())
            let (x, y) = (pow(u, 1 / alpha), pow(v, 1 / alpha))
            if x + y > 1 { continue }
            if x + y > 0 { return x / (x + y) }
            let (a, b) = (log(u) / alpha, log(v) / alpha)
            let most = max(a, b)
            return exp(a - most - log(exp(a - most) + exp(b - most)))
        }
    }

    /// Returns a number of the gamma distribution with a shape of at least 1 (Marsaglia and Tsang 2000).
    private mutating func gamma(_ shape: Double) -> Double {
        let d = shape - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = normal()
            let root = 1 + c * x
            guard root > 0 else { continue }
            let v = root * root * root
            if log(1 - uniform()) < 0.5 * x * x + d - d * v + d * log(v) { return d * v }
        }
    }
}
