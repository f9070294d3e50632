#!/bin/sh
# Makes the prompts of this folder again. Needs espeak-ng and sox.
set -eu
cd "$(dirname "$0")"
raw=$(mktemp --suffix=.wav)
trap 'rm -f "$raw"' EXIT

# say FILE LAW VOICE TEXT
say() {
	espeak-ng -v "$3" -s 160 -w "$raw" "$4"
	sox -R "$raw" -r 8000 -c 1 -e "$2" "$1" gain -n -6
}

say sample-us.wav mu-law en-us "This is Cedar Hollow Solar, telephone 2 0 2, 5 5 5, 0 1 2 3. We called, but no one was free to speak with you. To stop our calls, press 9, or call this number. Goodbye."
say sample-gb.wav a-law en-gb "This is Larkfield Windows, telephone 0 1 6 3 2, 9 6 0, 1 2 3. We called, but no one was free to speak with you. To stop our calls, press 9, or call this number. Goodbye."
say demo-it.wav a-law it "Aurora Arredi, telefono 0 8 4 4, 0 0 0, 1 2 3. Abbiamo chiamato, ma nessuno era libero per parlarle. Per non ricevere chiamate, prema 9 o chiami questo numero. Arrivederci."
say callback-it.wav a-law it "Aurora Arredi, telefono 0 8 4 4, 0 0 0, 1 2 3. L'abbiamo chiamata per una proposta di arredamento. Per non ricevere altre chiamate, prema 9. Per parlare con noi, prema 1. Per essere richiamato, prema 2."
say callback-gb.wav a-law en-gb "This is Larkfield Windows, telephone 0 1 6 3 2, 9 6 0, 1 2 3. We called you about windows. To stop our calls, press 9. To speak with us, press 1. To be called back, press 2."
say callback-us.wav mu-law en-us "This is Cedar Hollow Solar, telephone 2 0 2, 5 5 5, 0 1 2 3. We called you about solar panels. To stop our calls, press 9. To speak with us, press 1. To be called back, press 2."
say ../../dialer/media/default.wav a-law en-gb "We are sorry. We called you, but no one was free to speak with you. We will not keep you waiting. Goodbye."
