"""Operations that make mixtures of mixtures: an idea a module, in functions of a mixture's parts."""
