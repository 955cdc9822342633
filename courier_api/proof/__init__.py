"""What anyone can check without us: signed cores, certificates, the Merkle tree, signed notes. Bytes in, bytes out."""
