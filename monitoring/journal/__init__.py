"""Reading a miner's journal: lines → records → what they mean. Pure: no Django, no files, no clock."""
