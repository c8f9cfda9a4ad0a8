"`python -m radnb`: the `radnb` command."
from radnb.cli import main

if __name__ == '__main__': raise SystemExit(main())
