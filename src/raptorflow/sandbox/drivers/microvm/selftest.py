"""placeholder"""


class SelfTest:
    def __init__(self, driver, policy, version):
        self.v = version

    async def execute(self):
        raise NotImplementedError
