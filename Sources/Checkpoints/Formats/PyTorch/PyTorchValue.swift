public import Torch

/// What a PyTorch file can hold, as Python sees it.
public indirect enum PyTorchValue {
    /// A tensor.
    case tensor(Tensor)
    /// A module's state: an ordered dictionary of tensors.
    case stateDict([(name: String, tensor: Tensor)])
    /// A dictionary whose keys are texts.
    case dictionary([(key: String, value: PyTorchValue)])
    /// A dictionary whose keys are numbers, as an optimiser's memory has.
    case numbered([(key: Int, value: PyTorchValue)])
    /// A list.
    case list([PyTorchValue])
    /// A tuple.
    case tuple([PyTorchValue])
    /// A text.
    case text(String)
    /// A whole number.
    case integer(Int)
    /// A floating-point number.
    case number(Double)
    /// True or false.
    case flag(Bool)
    /// None.
    case none
}
