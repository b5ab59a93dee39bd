"""A campaign: everything that a submission of some benchmarks needs, as steps that are planned, journalled and resumed."""
