# Rules for the cases that need some: of keys below HKLM\Demo. To be read with ".".
rule() { # NAME FIELDS
    regtool add 'HKRS\Rules\HKLM\Demo\*' /v "$1" /t REG_MULTI_SZ /d "$2" /f >/dev/null
}
rule Size 'type=REG_DWORD\0min=512\0max=65536\0default=4356\0unit=bytes\0applies=restart\0source=Q161734\0text=How much the server keeps in memory for each of its clients before it begins to refuse what they send.'
rule Mode 'type=REG_SZ\0enum=fast\0enum=slow\0applies=reload'
rule Slow 'type=REG_DWORD\0warn-above=Size\0warning=it would never be reached'
rule Names 'type=REG_MULTI_SZ\0max-count=2\0max-length=4\0default='
rule Must 'type=REG_BINARY\0max-length=2\0required=yes\0default=0102'
K='HKLM\Demo\A'
# Who runs the tests, and when, is another story.
someone() {
    sed -e "s/ by $(id -un) on 20[0-9-]* [0-9:]*/ by USER on TIME/" \
        -e "s/\"user\":\"$(id -un)\"/\"user\":\"USER\"/" -e "s/\"uid\":$(id -u),/\"uid\":UID,/" \
        -e 's/"time":"20[^"]*"/"time":"TIME"/'
}
