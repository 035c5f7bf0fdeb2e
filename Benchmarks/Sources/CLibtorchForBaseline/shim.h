// libtorch is C++: CTorch includes it, Swift never does.
