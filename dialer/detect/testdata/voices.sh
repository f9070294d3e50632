#!/bin/bash
# voices.sh DIR: speaks words.tsv with voices from Debian, and collects recorded prompts, as DIR/SET/KIND/NAME.wav
# (8000 Hz mono, 16 bit). Sets: tuning (espeak-ng), heldout (flite, festival), recorded (people's voices, prompts of
# asterisk-core-sounds-* and asterisk-prompt-it-menardi-wav). Needs:
#   apt-get install espeak-ng flite festival festvox-italp16k festvox-itapc16k festvox-us-slt-hts sox \
#     asterisk-core-sounds-{en,es,fr,it}-wav asterisk-prompt-it-menardi-wav
set -euo pipefail
out=$1 here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
put() { # FILE SET KIND NAME: as telephone audio, silence at the ends cut
  mkdir -p "$out/$2/$3"
  sox -q -V1 "$1" -r 8000 -c 1 -b 16 "$out/$2/$3/$4.wav" norm -3 highpass 200 silence 1 0.02 0.3% reverse silence 1 0.02 0.3% reverse
}
speak() { # VOICE LANGUAGE TEXT FILE
  case $1 in
  espeak:*) IFS=: read -r _ variant speed <<<"$1"; espeak-ng -v "$2+$variant" -s "$speed" -w "$4" "$3" ;;
  flite:*) flite -voice "${1#*:}" -t "$3" -o "$4" >/dev/null ;;
  festival:*) printf '%s\n' "$3" | iconv -f UTF-8 -t ISO-8859-1//TRANSLIT | text2wave -eval "(voice_${1#*:})" -o "$4" ;;
  esac
}
n=0
while IFS=$'\t' read -r kind language text; do
  n=$((n + 1))
  voices="espeak:m1:150 espeak:m3:175 espeak:f2:165 espeak:f4:185"
  [ "$language" != en ] || voices="$voices flite:awb flite:rms flite:slt flite:kal16 festival:cmu_us_slt_arctic_hts"
  [ "$language" != it ] || voices="$voices festival:lp_diphone festival:pc_diphone"
  for voice in $voices; do
    set=heldout; [[ $voice != espeak:* ]] || set=tuning
    speak "$voice" "$language" "$text" "$tmp/said.wav" 2>/dev/null && put "$tmp/said.wav" $set "$kind" "$(printf '%s-%02d-%s' "$language" $n "${voice//:/-}")"
  done
done <"$here/words.tsv"

sounds=/usr/share/asterisk/sounds
join() { # NAME KIND FILES...: the prompts one after the other, with the pauses that a mailbox makes
  local name=$1 kind=$2; shift 2
  local all=()
  for f in "$@"; do [ ! -f "$f.wav" ] || all+=("$f.wav" "$tmp/rest.wav"); done
  [ ${#all[@]} = 0 ] || { sox -q -V1 "${all[@]}" "$tmp/joined.wav" && put "$tmp/joined.wav" recorded "$kind" "$name"; }
}
for dir in en_US_f_Allison es_MX_f_Allison fr_CA_f_June it_IT_f_Menardi it_IT_m_Carlo; do
  d=$sounds/$dir
  sox -q -n -r 8000 -c 1 -b 16 "$tmp/rest.wav" trim 0 0.15
  join "$dir-unavailable" machine $d/vm-theperson $d/digits/3 $d/digits/3 $d/digits/8 $d/vm-isunavail $d/vm-intro
  join "$dir-onphone" machine $d/vm-theperson $d/digits/2 $d/digits/0 $d/digits/4 $d/vm-isonphone $d/vm-intro
  join "$dir-intro" machine $d/vm-intro
  join "$dir-nobody" machine $d/vm-nobodyavail
  join "$dir-goodbye" machine $d/vm-theperson $d/digits/1 $d/vm-isunavail $d/vm-leavemsg
  join "$dir-ivr" machine $d/demo-congrats
  join "$dir-menu" machine $d/vm-instructions $d/vm-opts
  join "$dir-circuits" machine $d/all-circuits-busy-now $d/pls-try-call-later
  join "$dir-notservice" machine $d/ss-noservice
  join "$dir-number" machine $d/cannot-complete-as-dialed $d/check-number-dial-again
  for w in hello digits/1 digits/2 digits/7 vm-goodbye vm-message vm-Work vm-Family vm-first vm-and vm-no vm-from agent-pass conf-getpin auth-thankyou transfer; do
    for kind in human reply; do join "$dir-${w##*/}" $kind $d/$w; done
  done
  for w in conf-onlyperson vm-newuser conf-invalid followme/sorry pbx-invalid vm-tooshort; do join "$dir-${w##*/}" agent $d/$w; done
done
find "$out" -name '*.wav' -size -1k -delete
for set in "$out"/*; do for kind in "$set"/*; do echo "$(find "$kind" -name '*.wav' | wc -l) ${kind#"$out"/}"; done; done
